"""The rows of the refresh protocol three times: in memory, on DynamoDB Local, and there with every write sent twice.

The rows in memory are those that the schedules of `make simulate` are played on, so one suite holds both to the same
conditions under the same names. A write that is sent twice is what the SDK does when the answer to the first is lost.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, cast

import pytest

from tests.doubles.samples import ACME
from tests.doubles.scripted import NOON
from tests.simulation.rekey_rows import RekeyRows
from zendesk_oauth.adapters import dynamodb_refresh_rows, dynamodb_rekey, dynamodb_replaced_rows
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.adapters.dynamodb_rekey import DynamoDBRekeyStore
from zendesk_oauth.models.connection import ConnectionStatus, TokenTimes, keep_alive_shard
from zendesk_oauth.models.refresh import Claim, Connection, DueConnection, Renewal, Version
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair, SealedToken
from zendesk_oauth.ports.refresh import RefreshStore
from zendesk_oauth.ports.rekey import RekeyStore

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

KEY = f"default#{ACME}"
SHARD = keep_alive_shard(KEY)
OURS = Claim("ours", NOON + timedelta(seconds=70))
THEIRS = Claim("theirs", NOON + timedelta(seconds=60))
SECOND = timedelta(seconds=1)


def pair(commit_id: str) -> SealedPair:
    """Return a sealed pair whose ciphertexts name their commit."""
    return SealedPair(
        commit_id,
        SealedToken(f"access of {commit_id}".encode(), b"access key"),
        SealedToken(f"refresh of {commit_id}".encode(), b"refresh key"),
    )


def resealed(commit_id: str, key: str = "fresh") -> SealedPair:
    """Return the same pair under other keys."""
    return SealedPair(
        commit_id,
        SealedToken(f"{key} access of {commit_id}".encode(), f"{key} access key".encode()),
        SealedToken(f"{key} refresh of {commit_id}".encode(), f"{key} refresh key".encode()),
    )


def times(issued_at: datetime) -> TokenTimes:
    """Return the instants of a pair issued then."""
    return TokenTimes(
        expires_at=issued_at + timedelta(hours=48),
        refresh_at=issued_at + timedelta(hours=47),
        refresh_expires_at=issued_at + timedelta(days=90),
        keep_alive_at=issued_at + timedelta(days=50),
    )


def due(**changes: Any) -> Connection:
    """Return an active connection of epoch 3, generation 40, whose access token is about to end."""
    issued_at = NOON - timedelta(hours=47)
    connection = Connection(
        grant="default",
        subdomain=ACME,
        version=Version(3, 40),
        status=ConnectionStatus.ACTIVE,
        scopes=("tickets:read", "users:read"),
        issued_at=issued_at,
        times=times(issued_at),
        sealed=pair("c40"),
    )
    return replace(connection, **changes)


def renewal(commit_id: str = "c41") -> Renewal:
    """Return the pair that replaces the one of `due`, with fewer scopes."""
    return Renewal(
        "default", ACME, Version(3, 40), ("tickets:read",), NOON, times(NOON), sealed=pair(commit_id)
    )


def renewed(connection: Connection) -> Connection:
    """Return the connection as `renewal` leaves it."""
    version = Version(connection.version.epoch, connection.version.generation + 1)
    fresh = renewal()
    return replace(
        connection,
        version=version,
        scopes=fresh.scopes,
        issued_at=fresh.issued_at,
        times=fresh.times,
        sealed=fresh.sealed,
        claim=None,
        retry_at=None,
        reconnect_reason=None,
        reconnect_since=None,
    )


def named(due_connections: Iterable[DueConnection]) -> list[tuple[str, Subdomain]]:
    """Return the names of those that an index has."""
    return [(connection.grant, connection.subdomain) for connection in due_connections]


def replaced(**changes: Any) -> Connection:
    """Return the row of a replaced pair: that of `due`, once an install has come over it."""
    return replace(due().as_replaced, **changes)


class RowStore(RefreshStore, RekeyStore, Protocol):
    """Both ports over the same rows."""


class RefreshRows(Protocol):
    """A store, and hands for what no port writes or reads."""

    @property
    def store(self) -> RowStore:
        """The ports."""

    def put(self, connection: Connection) -> None:
        """Let this be the row, whatever was there."""

    def row(self, key: str = KEY) -> object:
        """Return all that is kept under this key, to compare."""

    def leave_out(self, condition: str) -> None:
        """Let a condition hold always."""


class InMemoryRefreshStore:
    """The port over the rows of the simulation, which want to know the time more often."""

    def __init__(self, rows: RekeyRows) -> None:
        self._rows = rows

    def __getattr__(self, name: str) -> object:
        return getattr(self._rows, name)

    def release(self, connection: Connection, claim: Claim, retry_at: datetime | None) -> None:
        """See the port."""
        self._rows.release(connection, claim, retry_at, NOON)

    def leave_unresolved(self, connection: Connection, claim: Claim, retry_at: datetime) -> None:
        """See the port."""
        self._rows.leave_unresolved(connection, claim, retry_at, NOON)


class InMemoryRows:
    """The simulation's rows."""

    def __init__(self) -> None:
        self._rows = RekeyRows()
        self.store = cast("RowStore", InMemoryRefreshStore(self._rows))

    def put(self, connection: Connection) -> None:
        """Let this be the row."""
        self._rows.rows[connection.key] = connection

    def row(self, key: str = KEY) -> object:
        """Return the row, when it is looked after, and the mark of a campaign."""
        rows = self._rows
        return rows.rows.get(key), rows.unfinished_at.get(key), rows.marks.get(key)

    def leave_out(self, condition: str) -> None:
        """Let a condition hold always."""
        self._rows.left_out |= {condition}


class DynamoDBRowStore(DynamoDBRefreshStore):
    """Both adapters over one table."""

    def __getattr__(self, name: str) -> object:
        return getattr(DynamoDBRekeyStore(self.client, self.table), name)


@dataclass(frozen=True, slots=True)
class DynamoDBRows:
    """A table's rows."""

    client: "DynamoDBClient"
    table: str
    monkeypatch: pytest.MonkeyPatch

    @property
    def store(self) -> RowStore:
        """The adapters."""
        return cast("RowStore", DynamoDBRowStore(self.client, self.table))

    def put(self, connection: Connection) -> None:
        """Let this be the row."""
        self.client.put_item(TableName=self.table, Item=item_of(connection))

    def row(self, key: str = KEY) -> "Mapping[str, AttributeValueTypeDef]":
        """Return the attributes as they are; none where there is no row."""
        named: Mapping[str, AttributeValueTypeDef] = {"connection_key": {"S": key}}
        return self.client.get_item(TableName=self.table, Key=named).get("Item", {})

    def leave_out(self, condition: str) -> None:
        """Let a condition hold always."""
        for conditions, name in ADAPTER_NAMES[condition]:
            weak = f"{conditions[name]} OR attribute_exists(#connection_key)"
            self.monkeypatch.setitem(conditions, name, weak)


def _adapter_names() -> dict[str, list[tuple[dict[str, str], str]]]:
    """Return where each condition stands in the adapter: the two forms of a claim are one to the simulation.

    Those that only keep a write from making a row of nothing are not among them.
    """
    names: dict[str, list[tuple[dict[str, str], str]]] = {}
    kept = {"keep replaced": dynamodb_replaced_rows.CONDITIONS["keep replaced"]}
    every = {**dynamodb_refresh_rows.CONDITIONS, **kept, **dynamodb_rekey.CONDITIONS}
    for write, conditions in every.items():
        for name in conditions:
            said = f"{write.removesuffix(' after another')}: {name}"
            names.setdefault(said, []).append((conditions, name))
    del names["postpone: unfinished"]
    return names


ADAPTER_NAMES = _adapter_names()


def item_of(connection: Connection) -> "dict[str, AttributeValueTypeDef]":
    """Return a row by the words of the table's contract alone, and not by the adapter's."""
    texts = {
        "connection_key": connection.key,
        "grant": connection.grant,
        "subdomain": connection.subdomain,
        "status": connection.status,
        "list_shard": None if connection.replaced else keep_alive_shard(connection.key),
        "keep_alive_shard": keep_alive_shard(connection.key) if connection.is_active else None,
        "claim_id": connection.claim.claim_id if connection.claim else None,
        "claim_state": _claim_state(connection.claim),
        "reconnect_reason": connection.reconnect_reason,
        "install_id": connection.install_id,
    }
    instants = {
        "issued_at": connection.issued_at,
        "established_at": NOON - timedelta(days=400),
        "expires_at": connection.times.expires_at,
        "refresh_at": connection.times.refresh_at,
        "refresh_expires_at": connection.times.refresh_expires_at,
        "keep_alive_at": connection.times.keep_alive_at,
        "claim_until": connection.claim.until if connection.claim else None,
        "retry_at": connection.retry_at,
        "reconnect_since": connection.reconnect_since,
    }
    item: dict[str, AttributeValueTypeDef] = {
        "epoch": {"N": str(connection.version.epoch)},
        "generation": {"N": str(connection.version.generation)},
        "scopes": {"L": [{"S": scope} for scope in connection.scopes]},
        "missing_scopes": {"L": [{"S": scope} for scope in connection.missing_scopes]},
    }
    item |= {name: {"S": value} for name, value in texts.items() if value is not None}
    item |= {name: {"N": str(int(at.timestamp()))} for name, at in instants.items() if at is not None}
    return item | _sealed_item(connection.sealed)


def _claim_state(claim: Claim | None) -> str | None:
    if claim is None:
        return None
    return "unresolved" if claim.unresolved else "living"


def _sealed_item(sealed: SealedPair | None) -> "dict[str, AttributeValueTypeDef]":
    if sealed is None:
        return {}
    return {
        "commit_id": {"S": sealed.commit_id},
        "access_token": {"B": sealed.access_token.ciphertext},
        "access_token_key": {"B": sealed.access_token.wrapped_key},
        "refresh_token": {"B": sealed.refresh_token.ciphertext},
        "refresh_token_key": {"B": sealed.refresh_token.wrapped_key},
    }


@contextmanager
def every_write_sent_twice(client: "DynamoDBClient") -> Iterator[None]:
    """Let the SDK believe, after each first answer to an UpdateItem, that it never came."""

    def lose(attempts: int, **_: Any) -> float | None:
        return 0.0 if attempts == 1 else None

    events: Any = client.meta.events
    events.register_first("needs-retry.dynamodb.UpdateItem", lose)
    yield
    events.unregister("needs-retry.dynamodb.UpdateItem", lose)
