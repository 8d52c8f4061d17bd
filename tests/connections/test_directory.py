"""The directory on DynamoDB Local: what is read, what is not, and that every connection stands on one page."""

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.connections.recording import RecordingClient
from tests.connections.rows import SEALED_BYTES, put, row
from tests.doubles.samples import ACME, GLOBEX
from tests.doubles.scripted import NOON
from tests.dynamodb_local import Tables
from zendesk_oauth.adapters import dynamodb_directory
from zendesk_oauth.adapters.dynamodb_attributes import instant, text
from zendesk_oauth.adapters.dynamodb_directory import ATTEMPTS, DynamoDBConnectionDirectory
from zendesk_oauth.errors import StoreError, StoreUnavailableError
from zendesk_oauth.models.connection import SHARDS, ConnectionStatus, keep_alive_shard
from zendesk_oauth.models.connection_summary import (
    ClaimSummary,
    ConnectionSummary,
    Cursor,
    DisconnectSummary,
    ListQuestion,
)
from zendesk_oauth.models.subdomain import Subdomain

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

MANY = 1000


@pytest.fixture
def client(dynamodb: "DynamoDBClient") -> RecordingClient:
    """Return DynamoDB Local, listened to."""
    return RecordingClient(dynamodb)


@pytest.fixture
def directory(client: RecordingClient, tables: Tables) -> DynamoDBConnectionDirectory:
    """Return a directory over an empty table, which waits for nothing."""
    return DynamoDBConnectionDirectory(client.as_client(), tables.connections, pause=lambda _: None)


def all_pages(directory: DynamoDBConnectionDirectory, question: ListQuestion) -> list[list[str]]:
    """Return the keys of every page, from the question's on."""
    pages = []
    after = question.after
    while True:
        page = directory.page(question._replace(after=after))
        pages.append([connection.key for connection in page.connections])
        if page.cursor is None:
            return pages
        after = Cursor.parse(page.cursor.text)


def test_a_connection_is_shown_without_what_is_sealed(
    dynamodb: "DynamoDBClient", directory: DynamoDBConnectionDirectory, tables: Tables
) -> None:
    """All that a row says is there, with its instants, and nothing of its tokens."""
    put(dynamodb, tables.connections, row())
    assert directory.find("default", ACME) == ConnectionSummary(
        grant="default",
        subdomain=ACME,
        status=ConnectionStatus.ACTIVE,
        epoch=3,
        generation=40,
        scopes=("users:read", "tickets:read"),
        missing_scopes=("tickets:write",),
        issued_at=NOON - timedelta(hours=1),
        expires_at=NOON + timedelta(hours=47),
        refresh_at=NOON + timedelta(hours=46),
        refresh_expires_at=NOON + timedelta(days=90),
        keep_alive_at=NOON + timedelta(days=50),
        established_at=NOON - timedelta(days=30),
        connected_at=NOON - timedelta(days=30),
        reconnect_reason=None,
        reconnect_since=None,
        authorized_user_id=17,
        authorized_user_role="admin",
        user_reference="user-7",
        claim=None,
        retry_at=None,
        disconnect=None,
        install_id="A" * 22,
    )


def test_a_row_in_trouble_says_so(
    dynamodb: "DynamoDBClient", directory: DynamoDBConnectionDirectory, tables: Tables
) -> None:
    """A claim, a verdict, a pause and a disconnect are all told."""
    later = NOON + timedelta(seconds=70)
    changes: dict[str, Any] = {
        "status": text("disconnecting"),
        "claim_id": text("claim"),
        "claim_state": text("unresolved"),
        "claim_until": instant(later),
        "retry_at": instant(later),
        "reconnect_reason": text("answer_lost"),
        "reconnect_since": instant(NOON),
        "disconnecting_since": instant(NOON),
    }
    put(dynamodb, tables.connections, row(**changes))
    shown = directory.find("default", ACME)
    assert shown is not None
    assert shown.claim == ClaimSummary("unresolved", later)
    assert shown.retry_at == later
    assert (shown.reconnect_reason, shown.reconnect_since) == ("answer_lost", NOON)
    assert shown.disconnect == DisconnectSummary(NOON, None, None)


def test_a_tombstone_says_how_it_ended(
    dynamodb: "DynamoDBClient", directory: DynamoDBConnectionDirectory, tables: Tables
) -> None:
    """A row that has hardly anything left is shown, and what it lacks is None."""
    gone = ("issued_at", "expires_at", "refresh_at", "refresh_expires_at", "keep_alive_at", "user_reference")
    rest = row(
        status=text("disconnected"),
        disconnected_at=instant(NOON),
        revocation=text("revoked"),
        without=(*gone, "authorized_user_id", "authorized_user_role", "missing_scopes"),
    )
    put(dynamodb, tables.connections, rest)
    shown = directory.find("default", ACME)
    assert shown is not None
    assert shown.status is ConnectionStatus.DISCONNECTED
    assert shown.disconnect == DisconnectSummary(None, NOON, "revoked")
    assert {getattr(shown, name) for name in gone} == {None}
    assert (shown.authorized_user_id, shown.missing_scopes) == (None, ())


def test_what_is_not_there_is_none(directory: DynamoDBConnectionDirectory) -> None:
    """No row is no error."""
    assert directory.find("default", ACME) is None


def test_nothing_sealed_is_even_asked_for(
    dynamodb: "DynamoDBClient",
    client: RecordingClient,
    directory: DynamoDBConnectionDirectory,
    tables: Tables,
) -> None:
    """Every read names its attributes, no ciphertext, key, claim id or commit id among them, and none comes back."""
    put(dynamodb, tables.connections, row(claim_id=text("claim")), row(subdomain=GLOBEX))
    directory.find("default", ACME)
    directory.page(ListQuestion(50))
    single = dict(client.calls)["get_item"]
    batch = dict(client.calls)["batch_get_item"]["RequestItems"][tables.connections]
    for asked in (single, batch):
        assert asked["ConsistentRead"] is True
        named = {
            asked["ExpressionAttributeNames"][name] for name in asked["ProjectionExpression"].split(", ")
        }
        assert not {name for name in named if "token" in name or name in {"claim_id", "commit_id"}}
    assert not [part for part in SEALED_BYTES if part in repr(client.answers).encode()]


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_every_connection_stands_on_one_page(
    dynamodb: "DynamoDBClient", directory: DynamoDBConnectionDirectory, tables: Tables, limit: int
) -> None:
    """However long the pages are: each connection once, full pages but for the last, and no page too many."""
    keys = sorted(f"default#acme-{number}" for number in range(60))
    put(dynamodb, tables.connections, *(row(subdomain=key.partition("#")[2]) for key in keys))
    pages = all_pages(directory, ListQuestion(limit))
    assert sorted(key for page in pages for key in page) == keys
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert len(pages) == -(-60 // limit)


def test_nothing_is_missed_or_repeated_while_others_are_added(
    dynamodb: "DynamoDBClient", directory: DynamoDBConnectionDirectory, tables: Tables
) -> None:
    """A thousand connections in sixteen partitions, new ones before each page: the thousand stand there once each."""
    there = {f"acme-{number}" for number in range(MANY)}
    put(dynamodb, tables.connections, *(row(subdomain=name) for name in sorted(there)))
    assert {keep_alive_shard(f"default#{name}") for name in there} == set(SHARDS)
    added = Random(7)  # noqa: S311 - the same run each time
    seen: list[str] = []
    after = None
    while True:
        put(dynamodb, tables.connections, *(row(subdomain=f"new-{added.random()}") for _ in range(3)))
        page = directory.page(ListQuestion(37, after=after))
        seen += [connection.subdomain for connection in page.connections]
        if page.cursor is None:
            break
        after = page.cursor
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


def test_a_page_of_one_grant_has_no_other(
    dynamodb: "DynamoDBClient", directory: DynamoDBConnectionDirectory, tables: Tables
) -> None:
    """The grant is matched as a whole, not as the beginning of another's name, and across pages."""
    names = [f"acme-{number}" for number in range(30)]
    rows = [row(grant, name) for grant in ("default", "default-2", "reporting") for name in names]
    put(dynamodb, tables.connections, *rows)
    pages = all_pages(directory, ListQuestion(7, grant="default"))
    assert sorted(key for page in pages for key in page) == sorted(f"default#{name}" for name in names)


def test_an_empty_table_is_one_empty_page(
    client: RecordingClient, directory: DynamoDBConnectionDirectory
) -> None:
    """Every partition is asked once, and no batch."""
    page = directory.page(ListQuestion(50))
    assert (page.connections, page.cursor) == ((), None)
    assert client.names == ["query"] * len(SHARDS)


def test_a_full_page_asks_no_further(
    dynamodb: "DynamoDBClient",
    client: RecordingClient,
    directory: DynamoDBConnectionDirectory,
    tables: Tables,
) -> None:
    """As soon as a page and the proof that it is not the last are there, no other partition is read."""
    put(dynamodb, tables.connections, *(row(subdomain=f"acme-{number}") for number in range(200)))
    first = [name for name in range(200) if keep_alive_shard(f"default#acme-{name}") == SHARDS[0]]
    page = directory.page(ListQuestion(2))
    assert len(first) > len(page.connections) == 2
    assert client.names == ["query", "batch_get_item"]
    assert client.calls[0][1]["Limit"] == 3


def test_a_partition_that_is_answered_in_pieces_is_read_to_its_end(
    dynamodb: "DynamoDBClient",
    client: RecordingClient,
    directory: DynamoDBConnectionDirectory,
    tables: Tables,
) -> None:
    """DynamoDB may break an answer off anywhere and say where to go on."""
    client.instead["query"] = lambda query, **arguments: query(**arguments | {"Limit": 1})
    names = [f"acme-{number}" for number in range(40)]
    put(dynamodb, tables.connections, *(row(subdomain=name) for name in names))
    pages = all_pages(directory, ListQuestion(100))
    assert sorted(key for page in pages for key in page) == sorted(f"default#{name}" for name in names)


def test_keys_that_were_not_read_are_asked_for_again(
    dynamodb: "DynamoDBClient",
    client: RecordingClient,
    directory: DynamoDBConnectionDirectory,
    tables: Tables,
) -> None:
    """A busy table gives some rows and names the rest; the page is whole and in its order all the same."""
    busy = Busy(tables.connections, times=ATTEMPTS - 1)
    client.instead["batch_get_item"] = busy
    pauses: list[float] = []
    put(dynamodb, tables.connections, *(row(subdomain=f"acme-{number}") for number in range(20)))
    quiet = all_pages(DynamoDBConnectionDirectory(dynamodb, tables.connections), ListQuestion(100))
    assert all_pages(directory._replace(pause=pauses.append), ListQuestion(100)) == quiet
    assert len(pauses) == ATTEMPTS - 1
    longest = dynamodb_directory.LONGEST_FIRST_PAUSE
    assert all(0 <= pause <= longest * 2**number for number, pause in enumerate(pauses))


def test_a_table_that_stays_busy_is_unavailable(
    dynamodb: "DynamoDBClient",
    client: RecordingClient,
    directory: DynamoDBConnectionDirectory,
    tables: Tables,
) -> None:
    """No page is given that lacks what is there."""
    client.instead["batch_get_item"] = Busy(tables.connections, times=99)
    put(dynamodb, tables.connections, *(row(subdomain=f"acme-{number}") for number in range(20)))
    with pytest.raises(StoreUnavailableError):
        directory.page(ListQuestion(100))
    assert client.names.count("batch_get_item") == ATTEMPTS


def test_a_row_that_went_in_between_is_left_out(
    dynamodb: "DynamoDBClient",
    client: RecordingClient,
    directory: DynamoDBConnectionDirectory,
    tables: Tables,
) -> None:
    """The index may name for a moment what the table no longer has."""
    put(dynamodb, tables.connections, row(), row(subdomain=GLOBEX))

    def without_acme(batch: Any, **arguments: Any) -> Any:
        dynamodb.delete_item(TableName=tables.connections, Key={"connection_key": text("default#acme")})
        return batch(**arguments)

    client.instead["batch_get_item"] = without_acme
    assert [connection.subdomain for connection in directory.page(ListQuestion(50)).connections] == [GLOBEX]


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ThrottlingException", StoreUnavailableError), ("AccessDeniedException", StoreError)],
)
@pytest.mark.parametrize("operation", ["get_item", "query", "batch_get_item"])
def test_errors_of_the_table_become_ours(  # the fixtures are most of it
    dynamodb: "DynamoDBClient",
    client: RecordingClient,
    directory: DynamoDBConnectionDirectory,
    tables: Tables,
    operation: str,
    code: str,
    kind: type[StoreError],
) -> None:
    """A throttle may pass, a missing permission will not."""

    def refuse(_: Any, **_arguments: Any) -> Any:
        raise ClientError({"Error": {"Code": code}}, operation)

    client.instead[operation] = refuse
    put(dynamodb, tables.connections, row())
    with pytest.raises(kind) as raised:
        directory.find("default", ACME) if operation == "get_item" else directory.page(ListQuestion(5))
    assert type(raised.value) is kind


def test_a_listing_goes_on_after_a_connection_that_is_gone(
    dynamodb: "DynamoDBClient", directory: DynamoDBConnectionDirectory, tables: Tables
) -> None:
    """A cursor is a place in an order, not a row."""
    put(dynamodb, tables.connections, *(row(subdomain=f"acme-{number}") for number in range(30)))
    everything = [key for page in all_pages(directory, ListQuestion(100)) for key in page]
    gone = Subdomain(everything[9].partition("#")[2])
    dynamodb.delete_item(TableName=tables.connections, Key={"connection_key": text(everything[9])})
    rest = all_pages(directory, ListQuestion(7, after=Cursor("default", gone)))
    assert [key for page in rest for key in page] == everything[10:]


class Busy:
    """Reads one key of each batch and hands the others back, that many times."""

    def __init__(self, table: str, times: int) -> None:
        self.table = table
        self.times = times

    def __call__(self, batch: Any, *, RequestItems: Any) -> Any:  # noqa: N803 - the SDK's name
        """Answer a batch."""
        if self.times == 0:
            return batch(RequestItems=RequestItems)
        self.times -= 1
        wanted = RequestItems[self.table]
        first, *rest = wanted["Keys"]
        answer = batch(RequestItems={self.table: wanted | {"Keys": [first]}})
        return answer | {"UnprocessedKeys": {self.table: wanted | {"Keys": rest}}}
