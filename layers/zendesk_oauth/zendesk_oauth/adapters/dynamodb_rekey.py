"""The connections' rows in DynamoDB, as they are sealed anew: one strong read and one conditional write.

Of a pair only ciphertexts and wrapped keys are written, both halves at once: its commit id is what both seals are
bound to, so the pair is known by it. The SDK's repeated write says no more than the first and holds a second time, or
loses to whoever came in between.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from zendesk_oauth.adapters.dynamodb_attributes import (
    SEALED,
    instant,
    optional_text,
    sealed_attributes,
    text,
)
from zendesk_oauth.adapters.dynamodb_connection_attributes import LIVING, connection_of
from zendesk_oauth.adapters.dynamodb_connection_table import get_row, update_row
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate
from zendesk_oauth.models.connection import connection_key
from zendesk_oauth.models.refresh import Connection
from zendesk_oauth.models.rekey import SealedRow
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

MARK = "rekeyed"
"""What the last campaign has left of the pair that it has sealed."""
CONDITIONS: Mapping[str, dict[str, str]] = {
    "reseal": {
        "same pair": "#commit_id = :commit_id",
        "not erased": "attribute_exists(#access_token)",
        "no living claim": "attribute_not_exists(#claim_id) OR #claim_state <> :living OR #claim_until <= :now",
    },
}
"""Every condition of the write."""


class DynamoDBRekeyStore(NamedTuple):
    """The port `RekeyStore` on a low-level client: one call per method."""

    client: "DynamoDBClient"
    table: str

    def find_sealed(self, grant: str, subdomain: Subdomain, replaced: str | None = None) -> SealedRow | None:
        """Read the row strongly; None: there is none."""
        row = get_row(self.client, self.table, connection_key(grant, subdomain, replaced))
        return SealedRow(connection_of(row), optional_text(row, MARK)) if row is not None else None

    def reseal(self, connection: Connection, resealed: SealedPair, mark: str, now: datetime) -> bool:
        """Replace ciphertexts and wrapped keys of the row's pair."""
        made, _ = update_row(self.client, self.table, connection.key, reseal_update(resealed, mark, now))
        return made


def reseal_update(resealed: SealedPair, mark: str, now: datetime) -> ConditionalUpdate:
    """Return the write of the row's pair; claim, version and whatever else it has stay as they are."""
    sealed = sealed_attributes(resealed)
    return ConditionalUpdate(
        conditions=tuple(CONDITIONS["reseal"].values()),
        assigned={**{name: sealed[name] for name in SEALED}, MARK: text(mark)},
        values={":commit_id": sealed["commit_id"], ":living": text(LIVING), ":now": instant(now)},
    )
