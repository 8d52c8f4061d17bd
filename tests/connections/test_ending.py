"""Ending a connection: the mark, the hand-over, and what comes in between."""

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.connections.doubles import InMemoryDirectory, ScriptedHandover, summary
from tests.connections.recording import RecordingClient
from tests.connections.rows import SEALED_BYTES, put, read, row
from tests.doubles.samples import ACME
from tests.doubles.scripted import NOON, ScriptedClock
from tests.dynamodb_local import Tables
from zendesk_oauth.adapters.dynamodb_attributes import instant, text
from zendesk_oauth.adapters.dynamodb_disconnect_marker import DynamoDBDisconnectMarker
from zendesk_oauth.errors import RefreshPendingError, StoreUnavailableError
from zendesk_oauth.models.connection import ConnectionStatus, keep_alive_shard
from zendesk_oauth.models.connection_summary import ConnectionSummary
from zendesk_oauth.services.disconnect_connection import DisconnectOutcome
from zendesk_oauth.services.end_connection import EndConnection, Ended

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

HANDED = [("default", ACME)]


def end(directory: InMemoryDirectory, handover: ScriptedHandover) -> Ended:
    """Ask for the connection's end."""
    return EndConnection(directory, directory, handover, ScriptedClock())("default", ACME)


def marked(directory: InMemoryDirectory) -> None:
    """Let somebody else mark it first."""
    assert directory.connection
    directory.connection = directory.connection._replace(status=ConnectionStatus.DISCONNECTING)


def disconnected(directory: InMemoryDirectory) -> None:
    """Let somebody else end it first."""
    assert directory.connection
    directory.connection = directory.connection._replace(status=ConnectionStatus.DISCONNECTED)


def reinstalled(directory: InMemoryDirectory) -> None:
    """Let a new install come first."""
    directory.connection = summary(epoch=4, generation=41)


def gone(directory: InMemoryDirectory) -> None:
    """Let somebody delete the row by hand."""
    directory.connection = None


@pytest.mark.parametrize("status", [ConnectionStatus.ACTIVE, ConnectionStatus.RECONNECT_REQUIRED])
def test_a_connection_is_marked_and_handed_over(status: ConnectionStatus) -> None:
    """One read, one mark, one hand-over; a connection that is lost already can be ended too."""
    directory, handover = InMemoryDirectory(summary(status=status)), ScriptedHandover()
    ended = end(directory, handover)
    assert (ended.outcome, ended.unheard, ended.repeated) == (DisconnectOutcome.UNDER_WAY, None, False)
    assert directory.connection == summary(status=ConnectionStatus.DISCONNECTING)
    assert (directory.reads, directory.marks, handover.handed) == (1, 1, HANDED)


def test_asking_again_hurries_it_and_marks_nothing() -> None:
    """One that is under way is handed over once more: that is how somebody can hurry the schedule."""
    directory, handover = (
        InMemoryDirectory(summary(status=ConnectionStatus.DISCONNECTING)),
        ScriptedHandover(),
    )
    ended = end(directory, handover)
    assert (ended.outcome, ended.repeated) == (DisconnectOutcome.UNDER_WAY, True)
    assert (directory.marks, handover.handed) == (0, HANDED)


def test_one_that_is_disconnected_stays_so() -> None:
    """Nothing is written and nobody is asked."""
    directory, handover = InMemoryDirectory(summary(status=ConnectionStatus.DISCONNECTED)), ScriptedHandover()
    ended = end(directory, handover)
    assert (ended.outcome, ended.repeated) == (DisconnectOutcome.DISCONNECTED, True)
    assert (directory.marks, handover.handed) == (0, [])


def test_one_that_never_was_is_not_made() -> None:
    """There is nothing to mark."""
    directory, handover = InMemoryDirectory(None), ScriptedHandover()
    assert end(directory, handover) == Ended(DisconnectOutcome.NOT_CONNECTED)
    assert (directory.marks, handover.handed) == (0, [])


def test_a_new_install_in_between_is_left_alone() -> None:
    """Nobody has asked to end that one: nothing is marked, nothing handed over."""
    directory, handover = InMemoryDirectory(summary(), reinstalled), ScriptedHandover()
    ended = end(directory, handover)
    assert ended.outcome is DisconnectOutcome.REPLACED
    assert directory.connection == summary(epoch=4, generation=41)
    assert handover.handed == []


def test_a_row_that_is_gone_in_between_was_not_ended_by_us() -> None:
    """It is told as one that is not what it was."""
    ended = end(InMemoryDirectory(summary(), gone), ScriptedHandover())
    assert ended == Ended(DisconnectOutcome.REPLACED)


def test_a_mark_in_between_is_as_good_as_ours() -> None:
    """Our own repeated write looks like that too: it is handed over."""
    directory, handover = InMemoryDirectory(summary(), marked), ScriptedHandover()
    assert end(directory, handover).outcome is DisconnectOutcome.UNDER_WAY
    assert (directory.reads, handover.handed) == (2, HANDED)


def test_an_end_in_between_is_the_end() -> None:
    """Two who ask at once both hear the truth."""
    directory, handover = InMemoryDirectory(summary(), disconnected), ScriptedHandover()
    assert end(directory, handover).outcome is DisconnectOutcome.DISCONNECTED
    assert handover.handed == []


def test_the_mark_is_enough_where_nobody_hears() -> None:
    """A hand-over that fails is told in the log and changes nothing: the schedule goes on."""
    error = RefreshPendingError("throttled")
    directory = InMemoryDirectory(summary())
    ended = end(directory, ScriptedHandover(error))
    assert (ended.outcome, ended.unheard) == (DisconnectOutcome.UNDER_WAY, error)
    assert directory.connection == summary(status=ConnectionStatus.DISCONNECTING)


# ---- the mark on DynamoDB Local


@pytest.fixture
def client(dynamodb: "DynamoDBClient") -> RecordingClient:
    """Return DynamoDB Local, listened to."""
    return RecordingClient(dynamodb)


@pytest.fixture
def marker(client: RecordingClient, tables: Tables) -> DynamoDBDisconnectMarker:
    """Return the marker of an empty table."""
    return DynamoDBDisconnectMarker(client.as_client(), tables.connections)


def test_the_mark_stops_the_use_and_calls_the_schedule(
    dynamodb: "DynamoDBClient", client: RecordingClient, marker: DynamoDBDisconnectMarker, tables: Tables
) -> None:
    """The status, since when, the index of the unfinished, no more keep-alive: all else stays, and none comes back."""
    before = row()
    put(dynamodb, tables.connections, before)
    assert marker.mark_disconnecting(summary(), NOON)
    after = read(dynamodb, tables.connections)
    shard = keep_alive_shard("default#acme")
    changed = {
        "status": text("disconnecting"),
        "disconnecting_since": instant(NOON),
        "unfinished_shard": text(shard),
        "unfinished_at": instant(NOON),
    }
    assert after == {name: value for name, value in before.items() if name != "keep_alive_shard"} | changed
    assert client.names == ["update_item"]
    assert "Attributes" not in client.answers[0]


@pytest.mark.parametrize(
    "there",
    [
        row(epoch={"N": "4"}),
        row(status=text("disconnecting"), disconnecting_since={"N": "1"}),
        row(status=text("disconnected")),
        None,
    ],
    ids=["a new install", "marked before", "a tombstone", "no row"],
)
def test_what_cannot_be_marked_is_left_as_it_is(
    dynamodb: "DynamoDBClient", marker: DynamoDBDisconnectMarker, tables: Tables, there: dict[str, Any] | None
) -> None:
    """Another epoch, another status or no row at all: nothing changes, and no row is made."""
    if there:
        put(dynamodb, tables.connections, there)
    assert not marker.mark_disconnecting(summary(), NOON)
    assert dynamodb.scan(TableName=tables.connections)["Items"] == ([there] if there else [])


def test_a_mark_that_fails_gives_nothing_sealed_back(
    dynamodb: "DynamoDBClient", client: RecordingClient, marker: DynamoDBDisconnectMarker, tables: Tables
) -> None:
    """Whoever marks may not read refresh tokens: neither way of asking for the row is used."""
    errors: list[ClientError] = []

    def keep(update: Any, **arguments: Any) -> Any:
        try:
            return update(**arguments)
        except ClientError as error:
            errors.append(error)
            raise

    client.instead["update_item"] = keep
    put(dynamodb, tables.connections, row(epoch={"N": "4"}))
    assert not marker.mark_disconnecting(summary(), NOON)
    [(_, asked)] = client.calls
    assert asked["ReturnValues"] == "NONE"
    assert "ReturnValuesOnConditionCheckFailure" not in asked
    assert not [part for part in SEALED_BYTES if part in repr(errors[0].response).encode()]


def test_a_table_that_does_not_answer_is_unavailable(
    client: RecordingClient, marker: DynamoDBDisconnectMarker
) -> None:
    """The mark may or may not have been made: the caller asks again."""

    def throttle(_: Any, **_arguments: Any) -> Any:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")

    client.instead["update_item"] = throttle
    connection: ConnectionSummary = summary()
    with pytest.raises(StoreUnavailableError):
        marker.mark_disconnecting(connection, NOON)
