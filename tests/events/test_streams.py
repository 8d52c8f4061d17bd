"""From the stores' own writes, over real streams of DynamoDB Local, to events: each fact once, in its order."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doubles.samples import STATE, establishment, pending, proof
from tests.doubles.scripted import NOON
from tests.dynamodb_local import Tables, create_tables
from tests.events.schemas import hold
from tests.events.streams import Streams
from tests.stores.refreshing import pair, times
from tests.stores.seeing import DynamoDBStores
from zendesk_oauth.adapters.dynamodb_changes import DynamoDBChangeRecord
from zendesk_oauth.adapters.dynamodb_connections import DynamoDBConnectionStore
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.models.connection import ConnectionStatus, named_by
from zendesk_oauth.models.event import Event, Origin
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.models.refresh import Claim, Connection, LossReason, Renewal
from zendesk_oauth.models.secret import OneUseSecret, base64url
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.ports import Verdict
from zendesk_oauth.services.derive_events import derive_events

ORIGIN = Origin("zendesk-oauth", "prod", "https://connect.example.com/oauth/start")
ACME = Subdomain("acme")
_NUMBERS = itertools.count(1)


def derived(records: list[DynamoDBChangeRecord]) -> list[Event]:
    """Return every event of a stream, each held to its schema."""
    events = [event for record in records for event in derive_events(record.read(), ORIGIN)]
    for event in events:
        hold(event)
    return events


@dataclass
class Company:
    """One account's installs and connection, moved by the stores' own writes."""

    installs: DynamoDBInstallStore
    connections: DynamoDBConnectionStore
    refresh: DynamoDBRefreshStore
    happened: list[str] = field(default_factory=list)

    def install(self, status: InstallStatus) -> None:
        """Play an install to this end, or leave it pending."""
        number = next(_NUMBERS)
        install_id = base64url(number.to_bytes(16))
        install: Install = replace(pending(), install_id=install_id)
        self.installs.put_if_absent(install)
        if status is InstallStatus.PENDING:
            return
        shown = proof(OneUseSecret(install_id, STATE.secret))
        if status is InstallStatus.DENIED:
            self.installs.consume(shown, Verdict("a", status, "access_denied"), NOON)
            self.happened.append("InstallDenied")
            return
        self.installs.consume(shown, Verdict("a", InstallStatus.EXCHANGING), NOON)
        if status is InstallStatus.FAILED:
            self.installs.fail(install_id, "wrong_role", None, NOON)
            self.happened.append("InstallFailed")
            return
        self.connections.establish(establishment(f"commit-{number}"), install_id, NOON)
        self.happened.append("ConnectionEstablished")

    def claim(self) -> tuple[Connection, Claim] | None:
        """Take the claim, if there is an active connection."""
        connection = self.refresh.find("default", ACME)
        if connection is None or not connection.is_active:
            return None
        claim = Claim(f"claim-{next(_NUMBERS)}", NOON + timedelta(seconds=70))
        later = NOON + timedelta(minutes=10)
        return (connection, claim) if self.refresh.claim(connection, claim, later) else None

    def renew(self) -> None:
        """Refresh an active connection, or have a late answer restore one that was given up."""
        taken = self.claim()
        connection = self.refresh.find("default", ACME)
        if connection is None or connection.sealed is None:
            return
        if taken is None and connection.status is not ConnectionStatus.RECONNECT_REQUIRED:
            return
        self._commit(connection, NOON)
        if connection.status is ConnectionStatus.RECONNECT_REQUIRED:
            self.happened.append("ConnectionRestored")
        self.happened.append("TokenRefreshed")

    def _commit(self, connection: Connection, now: datetime) -> None:
        commit_id = f"renewal-{next(_NUMBERS)}"
        fresh = Renewal(
            *("default", ACME, connection.version, connection.scopes, now, times(now)), sealed=pair(commit_id)
        )
        assert self.refresh.commit(fresh, over_verdict=True) is not None

    def lose(self) -> None:
        """Judge an active connection."""
        taken = self.claim()
        if taken and self.refresh.require_reconnect(*taken, LossReason.ANSWER_LOST, NOON):
            self.happened.append("ReconnectRequired")

    def give_back(self) -> None:
        """Claim and release, which tells nothing."""
        taken = self.claim()
        if taken:
            self.refresh.release(*taken, NOON)

    def disconnect(self) -> None:
        """Mark and erase."""
        connection = self.refresh.find("default", ACME)
        marked = connection and self.refresh.mark_disconnecting(connection, NOON)
        if marked and self.refresh.erase(marked, "revoked", NOON):
            self.happened.append("Disconnected")

    def retire(self) -> None:
        """End every replaced pair and let one tombstone be deleted, which tells nothing."""
        rows = self.refresh.client.scan(TableName=self.refresh.table)["Items"]
        keys = [row["connection_key"] for row in rows if row["connection_key"]["S"].startswith("~")]
        for key in keys:
            row = self.refresh.find(*named_by(key["S"]))
            assert row is not None
            self.refresh.erase(row, "revoked", NOON)
        for key in keys[:1]:
            self.refresh.client.delete_item(TableName=self.refresh.table, Key={"connection_key": key})


def company(stores: DynamoDBStores) -> Company:
    """Return an account over these stores."""
    tables = stores.tables
    return Company(
        stores.installs, stores.connections, DynamoDBRefreshStore(stores.client, tables.connections)
    )


STEPS: dict[str, Callable[[Company], None]] = {
    "connect": lambda acme: acme.install(InstallStatus.CONNECTED),
    "deny": lambda acme: acme.install(InstallStatus.DENIED),
    "fail": lambda acme: acme.install(InstallStatus.FAILED),
    "begin": lambda acme: acme.install(InstallStatus.PENDING),
    "renew": Company.renew,
    "lose": Company.lose,
    "give back": Company.give_back,
    "disconnect": Company.disconnect,
    "retire": Company.retire,
}


def test_a_life_is_told_step_by_step(stores: DynamoDBStores, streams: Streams, tables: Tables) -> None:
    """The stream tells just what became of the connection, and nothing of a pair that was replaced."""
    acme = company(stores)
    for step in ("deny", "connect", "renew", "lose", "renew", "disconnect", "connect", "connect", "retire"):
        STEPS[step](acme)
    installs, connections = (
        derived(streams.changes(tables.installs)),
        derived(streams.changes(tables.connections)),
    )
    assert [event.event_type for event in installs] == ["InstallDenied"]
    assert [event.event_type for event in connections] == [
        "ConnectionEstablished",
        "TokenRefreshed",
        "ReconnectRequired",
        "ConnectionRestored",
        "TokenRefreshed",
        "Disconnected",
        "ConnectionEstablished",
        "ConnectionEstablished",
    ]
    assert [event.detail["first"] for event in connections if "first" in event.detail] == [True, False, False]
    orders = [str(event.detail["order"]) for event in connections]
    assert orders == sorted(orders)


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=12))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_i7_every_happening_is_told_once(dynamodb: Any, streams: Streams, steps: list[str]) -> None:
    """Whatever happens in whatever order: as many facts as happenings, none twice, and none of anything else."""
    tables = create_tables(dynamodb, with_streams=True)
    acme = company(
        DynamoDBStores(
            DynamoDBInstallStore(dynamodb, tables.installs),
            DynamoDBConnectionStore(dynamodb, tables.installs, tables.connections),
            dynamodb,
            tables,
        )
    )
    for step in steps:
        STEPS[step](acme)
    records = [*streams.changes(tables.installs), *streams.changes(tables.connections)]
    for name in (tables.installs, tables.connections):
        dynamodb.delete_table(TableName=name)
    events = derived(records)
    assert sorted(str(event.event_type) for event in events) == sorted(acme.happened)
    assert len({event.event_id for event in events}) == len(events)
    again = derived(records)
    assert [event.event_id for event in again] == [event.event_id for event in events]


def test_a_pending_install_whose_time_is_over_is_told_by_its_removal(
    stores: DynamoDBStores, streams: Streams, tables: Tables
) -> None:
    """DynamoDB removes it days later; by hand it looks the same."""
    company(stores).install(InstallStatus.PENDING)
    [row] = stores.client.scan(TableName=tables.installs)["Items"]
    key = {"install_id": row["install_id"]}
    stores.client.delete_item(TableName=tables.installs, Key=key)
    (event,) = derived(streams.changes(tables.installs))
    assert (event.event_type, event.detail["reason"]) == ("InstallAbandoned", "over")


@pytest.mark.parametrize("table", ["installs", "connections"])
def test_a_stream_shows_sealed_tokens_and_no_record_of_ours_does(
    table: str, stores: DynamoDBStores, streams: Streams, tables: Tables
) -> None:
    """What may be kept of a record has no ciphertext, no key and no fingerprint, though the stream has them all."""
    company(stores).install(InstallStatus.CONNECTED)
    records = streams.changes(getattr(tables, table))
    shown = str([record.unverified for record in records])
    kept = "".join(record.kept() for record in records)
    secret = "access_token" if table == "connections" else "state_fingerprint"
    assert secret in shown
    assert not [name for name in ("access_token", "refresh_token", "fingerprint", "_key':") if name in kept]
