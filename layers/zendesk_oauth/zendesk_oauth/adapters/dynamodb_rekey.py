"""The connections' rows in DynamoDB, as they are sealed anew: one strong read, and a conditional write for each pair.

Of a pair only ciphertexts and wrapped keys are written, both halves at once: its commit id is what both seals are
bound to, so the row's own pair is known by it, and a superseded one by the attributes that it lies in. The SDK's
repeated write says no more than the first and holds a second time, or loses to whoever came in between.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from zendesk_oauth.adapters.dynamodb_attributes import (
    SEALED,
    instant,
    sealed_attributes,
    superseded_name,
    text,
    text_set,
)
from zendesk_oauth.adapters.dynamodb_connection_attributes import (
    LIVING,
    connection_of,
    superseded_places_of,
    superseding_commits,
)
from zendesk_oauth.adapters.dynamodb_connection_table import get_row, update_row
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate
from zendesk_oauth.models.connection import connection_key
from zendesk_oauth.models.refresh import Connection, Superseded
from zendesk_oauth.models.rekey import SealedRow
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

MARKS = "rekeyed"
"""A set of texts: what campaigns leave of the pairs that they have sealed."""
CONDITIONS: Mapping[str, dict[str, str]] = {
    "reseal": {
        "same pair": "#commit_id = :commit_id",
        "not erased": "attribute_exists(#access_token)",
        "no living claim": "attribute_not_exists(#claim_id) OR #claim_state <> :living OR #claim_until <= :now",
    },
    "reseal superseded": {"still there": "attribute_exists({place})"},
}
"""Every condition of both writes; a superseded pair can lie in two places, and has to be in both."""


class DynamoDBRekeyStore(NamedTuple):
    """The port `RekeyStore` on a low-level client: one call per method, two for a superseded pair."""

    client: "DynamoDBClient"
    table: str

    def find_sealed(self, grant: str, subdomain: Subdomain) -> SealedRow | None:
        """Read the whole row strongly; None: there is none."""
        row = get_row(self.client, self.table, connection_key(grant, subdomain))
        if row is None:
            return None
        marks = frozenset(row[MARKS]["SS"]) if MARKS in row else frozenset()
        return SealedRow(connection_of(row), superseded_places_of(row), marks)

    def reseal(
        self, connection: Connection, resealed: SealedPair, marks: frozenset[str], now: datetime
    ) -> bool:
        """Replace ciphertexts and wrapped keys of the row's own pair."""
        made, _ = update_row(self.client, self.table, connection.key, reseal_update(resealed, marks, now))
        return made

    def reseal_superseded(self, connection: Connection, resealed: Superseded, mark: str) -> bool:
        """Replace those of a superseded pair, in all the places where it lies."""
        places = superseding_commits(get_row(self.client, self.table, connection.key) or {}, resealed)
        if not places:
            return False
        update = reseal_superseded_update(resealed.sealed, places, mark)
        made, _ = update_row(self.client, self.table, connection.key, update)
        return made


def reseal_update(resealed: SealedPair, marks: frozenset[str], now: datetime) -> ConditionalUpdate:
    """Return the write of the row's own pair; claim, version and whatever else it has stay as they are."""
    sealed = sealed_attributes(resealed)
    return ConditionalUpdate(
        conditions=tuple(CONDITIONS["reseal"].values()),
        assigned={**{name: sealed[name] for name in SEALED}, MARKS: text_set(*sorted(marks))},
        values={":commit_id": sealed["commit_id"], ":living": text(LIVING), ":now": instant(now)},
    )


def reseal_superseded_update(resealed: SealedPair, places: Sequence[str], mark: str) -> ConditionalUpdate:
    """Return the write of a superseded pair, which lies under the ids of these commits."""
    sealed = sealed_attributes(resealed)
    attributes = {
        f"{name}_{number}": (name, put_by) for number, put_by in enumerate(places) for name in SEALED
    }
    condition = CONDITIONS["reseal superseded"]["still there"]
    return ConditionalUpdate(
        conditions=tuple(condition.format(place=f"#access_token_{number}") for number in range(len(places))),
        assigned={placeholder: sealed[name] for placeholder, (name, _) in attributes.items()},
        names={placeholder: superseded_name(*attribute) for placeholder, attribute in attributes.items()},
        added={MARKS: text_set(mark)},
    )
