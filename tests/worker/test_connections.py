"""What a worker asks of its connections: tokens, kept and shared, and the errors that say why there is none."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.worker.doubles import ACME, BEGAN, World, row
from zendesk_oauth.errors import (
    MissingScopeError,
    ReconnectRequiredError,
    RefreshPendingError,
    SubdomainRefusedError,
    UnknownGrantError,
)
from zendesk_oauth.models.token import RefreshReport, StoredToken
from zendesk_oauth.worker import connections as module
from zendesk_oauth.worker import kept
from zendesk_oauth.worker.kept import HOLD_SECONDS, VOUCHED_SECONDS, WITHOUT_WORD
from zendesk_oauth.worker.questions import question_of

DUE = 300.0


def test_a_token_is_read_once_until_it_is_due() -> None:
    """No call of any kind until the instant that the writer set for everybody."""
    world = World(row())
    connections = world.connections()
    first = connections.token("acme")
    world.time.seconds = 2999.9
    assert connections.token("acme") is first
    assert (world.rows.reads, world.keys.opened) == (["eventual"], [1])
    world.time.seconds = 3000.0
    world.refresh.acts = [world.report("refreshed", row(2, lives=9000.0))]
    assert connections.token("acme").generation == 2
    assert connections.token("acme").generation == 2
    assert len(world.refresh.asked) == 1


@pytest.mark.parametrize("subdomain", ["ACME", "acme.zendesk.com", "https://acme.zendesk.com/agent"])
def test_a_subdomain_however_it_is_written_is_one_connection(subdomain: str) -> None:
    """It is read once, and kept under one name."""
    world = World(row())
    connections = world.connections()
    assert connections.token(subdomain) is connections.token("acme")
    assert connections.token(subdomain).generation == 1
    assert world.rows.reads == ["eventual"]


@pytest.mark.parametrize("scopes", ["tickets:read", ("tickets:read",), {"tickets:read"}, ["users:read"] * 2])
def test_scopes_may_be_written_in_any_way(scopes: object) -> None:
    """A text or any collection; what a kept token covers costs no read."""
    world = World(row())
    connections = world.connections()
    assert connections.token("acme", scopes=scopes).generation == 1  # type: ignore[arg-type]
    assert connections.token("acme", scopes=(each for each in ("users:read",))).generation == 1
    assert world.rows.reads == ["eventual"]


def test_what_is_no_name_is_refused_before_anything_is_read() -> None:
    """Subdomain, grant and scopes are checked; a text that is no scope is no permission that is missing."""
    connections = World(row()).connections()
    with pytest.raises(SubdomainRefusedError):
        connections.token("acme.evil.example")
    with pytest.raises(UnknownGrantError):
        connections.token("acme", "a#b")
    with pytest.raises(ValueError, match="is not a scope"):
        connections.token("acme", scopes=("tickets;read",))


def test_a_wish_for_time_is_heard_by_the_kept_token() -> None:
    """With enough left it is given; with less the row is looked at again."""
    world = World(row())
    connections = world.connections()
    connections.token("acme")
    assert connections.token("acme", min_ttl=timedelta(minutes=59)).generation == 1
    assert world.rows.reads == ["eventual"]
    world.become(row(2, lives=9000.0))
    assert connections.token("acme", min_ttl=timedelta(hours=2)).generation == 2


def test_an_old_token_that_was_given_all_the_same_is_kept_for_a_moment() -> None:
    """While Zendesk is down, not every call asks for a refresh; but never longer than the token lives."""
    world = World(row(lives=DUE))
    connections = world.connections()
    world.refresh.acts = [world.report("postponed")] * 2
    connections.token("acme")
    world.time.seconds = HOLD_SECONDS - 0.1
    connections.token("acme")
    assert len(world.refresh.asked) == 1
    world.time.seconds = DUE - 8
    connections.token("acme")
    world.time.seconds = DUE - 4.9
    world.refresh.acts = [world.report("postponed")]
    with pytest.raises(RefreshPendingError):
        connections.token("acme")


def test_a_wish_that_cannot_be_fulfilled_is_looked_into_once_in_ten_seconds() -> None:
    """The others get the kept token without a read, whatever time they wish for; the cache is not switched off."""
    world = World(row())
    connections = world.connections()
    for wish in (2, 3, 48):
        assert connections.token("acme", min_ttl=timedelta(hours=wish)).generation == 1
    assert world.rows.reads == ["eventual", "strong"]
    world.become(row(2, lives=9000.0))
    world.time.seconds = HOLD_SECONDS
    assert connections.token("acme", min_ttl=timedelta(hours=2)).generation == 2
    assert connections.token("acme", min_ttl=timedelta(hours=2)).generation == 2
    assert world.rows.reads == ["eventual", "strong", "eventual"]


def test_an_ordinary_read_refuses_no_wish() -> None:
    """Nobody has looked for more time yet."""
    world = World(row())
    connections = world.connections()
    connections.token("acme")
    world.become(row(2, lives=9000.0))
    assert connections.token("acme", min_ttl=timedelta(hours=2)).generation == 2


def test_a_refresh_that_is_postponed_is_not_asked_for_by_each_call() -> None:
    """The error comes again, with what is left to wait, until it is time; nothing is read or asked meanwhile."""
    world = World(row(lives=-1.0))
    connections = world.connections()
    world.refresh.acts = [world.report("postponed", retry_at=BEGAN + timedelta(seconds=4))] * 2
    for seconds, left in ((0.0, 4.0), (1.0, 3.0), (3.5, 0.5), (4.0, 0.0)):
        world.time.seconds = seconds
        with pytest.raises(RefreshPendingError, match="postponed") as caught:
            connections.token("acme")
        assert caught.value.retry_after == timedelta(seconds=left)
    assert (world.rows.reads, len(world.refresh.asked)) == (["eventual", "strong"] * 2, 2)


@pytest.mark.parametrize(("retry_at", "held"), [(timedelta(hours=1), HOLD_SECONDS), (None, WITHOUT_WORD)])
def test_an_error_is_not_repeated_for_long(retry_at: timedelta | None, held: float) -> None:
    """Ten seconds at most, and one where nobody knows when to ask again."""
    world = World(row(lives=-1.0))
    connections = world.connections()
    postponed = world.report("postponed", retry_at=BEGAN + retry_at if retry_at else None)
    world.refresh.acts = [postponed, world.report("refreshed", row(2))]
    for seconds in (0.0, held - 0.1):
        world.time.seconds = seconds
        with pytest.raises(RefreshPendingError):
            connections.token("acme")
    world.time.seconds = held
    assert connections.token("acme").generation == 2


def test_an_error_is_repeated_only_to_who_would_get_it_from_the_row_too() -> None:
    """A token that failed is not over for who has not seen it fail; a scope that is missing is said at once."""
    world = World(row(7))
    connections = world.connections()
    world.refresh.acts = [world.report("postponed", retry_at=BEGAN + timedelta(seconds=60))]
    for newer_than in (7, 8):
        with pytest.raises(RefreshPendingError):
            connections.token("acme", newer_than=newer_than)
    assert connections.token("acme").generation == 7
    with pytest.raises(RefreshPendingError):
        connections.token("acme", newer_than=7)
    with pytest.raises(MissingScopeError):
        connections.token("acme", scopes="tickets:write", newer_than=7)
    assert len(world.refresh.asked) == 1
    world.become(row(7, lives=-1.0))
    world.time.seconds = 20.0
    world.refresh.acts = [world.report("postponed", retry_at=BEGAN + timedelta(seconds=80))]
    with pytest.raises(RefreshPendingError):
        connections.token("acme", min_ttl=timedelta(hours=2))
    with pytest.raises(RefreshPendingError):
        connections.token("acme", newer_than=6)
    assert len(world.refresh.asked) == 2


def test_r22_however_many_401s_one_refresh() -> None:
    """The first looks into it; all others, early or late, get what it brought."""
    world = World(row(7))
    connections = world.connections()
    connections.token("acme")
    world.refresh.acts = [world.report("refreshed", row(8))]
    assert [connections.token("acme", newer_than=7).generation for _ in range(50)] == [8] * 50
    assert connections.token("acme").generation == 8
    assert (world.rows.reads, len(world.refresh.asked)) == (["eventual", "strong", "strong"], 1)


def test_r22_zendesks_word_for_a_token_is_believed_for_a_minute() -> None:
    """A 401 that is not about the token does not ask `refresh` with every call."""
    world = World(row(7))
    connections = world.connections()
    world.refresh.acts = [world.report("current")] * 2
    assert [connections.token("acme", newer_than=7).generation for _ in range(50)] == [7] * 50
    assert len(world.refresh.asked) == 1
    world.time.seconds = VOUCHED_SECONDS
    assert connections.token("acme", newer_than=7).generation == 7
    assert len(world.refresh.asked) == 2


def test_a_failed_token_is_given_to_nobody_while_it_is_looked_into() -> None:
    """It is dropped before the row is read, so that an error leaves nothing behind."""
    world = World(row(7))
    connections = world.connections()
    connections.token("acme")
    world.become(row(7, status="reconnect_required"))
    with pytest.raises(ReconnectRequiredError):
        connections.token("acme", newer_than=7)
    with pytest.raises(ReconnectRequiredError):
        connections.token("acme")


def test_a_401_of_an_old_token_does_not_drop_the_new_one() -> None:
    """A late 401 is answered by what is kept already."""
    world = World(row(8))
    connections = world.connections()
    connections.token("acme")
    assert connections.token("acme", newer_than=7).generation == 8
    assert world.rows.reads == ["eventual"]


def test_only_so_many_tokens_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was read longest ago is let go; a process does not grow with its customers."""
    monkeypatch.setattr(kept, "MOST_KEPT", 2)
    world = World(row())
    connections = module.Connections(
        lambda question, _: world.read_token(question._replace(subdomain=ACME), 55.0),
        "https://{subdomain}.zendesk.com",
        module.Clocks(world.time.epoch, world.time.monotonic),
    )
    for subdomain in ("a", "b", "a", "c", "b", "a"):
        connections.token(subdomain)
    assert len(world.rows.reads) == 4


def in_threads(count: int, work: Callable[[], object]) -> list[object]:
    """Do the same in many threads that begin together, and return what each got or raised."""
    begin, results = threading.Barrier(count), []

    def run() -> None:
        begin.wait()
        try:
            results.append(work())
        except Exception as error:  # noqa: BLE001 - a result too
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_threads_that_come_together_cost_one_read_and_one_key() -> None:
    """Whoever waited finds what the first one brought."""
    world = World(row())
    slow, find = threading.Event(), world.rows.find

    def find_slowly(grant: str, subdomain: object, *, consistent: bool) -> StoredToken | None:
        slow.wait(0.05)
        return find(grant, subdomain, consistent=consistent)  # type: ignore[arg-type]

    world.rows.find = find_slowly  # type: ignore[method-assign]
    connections = world.connections()
    tokens = in_threads(64, lambda: connections.token("acme"))
    assert len({id(token) for token in tokens}) == 1
    assert (world.rows.reads, world.keys.opened) == (["eventual"], [1])


@pytest.mark.parametrize("newer_than", [None, 1])
def test_r1_threads_that_meet_an_expiry_or_a_401_ask_for_one_refresh(newer_than: int | None) -> None:
    """One request, and as many tokens as there are threads."""
    world = World(row(lives=DUE))
    connections = world.connections()
    pause = threading.Event()

    def refresh_slowly() -> RefreshReport:
        pause.wait(0.05)
        world.become(row(2))
        return RefreshReport("refreshed")

    world.refresh.acts = [refresh_slowly]
    tokens = in_threads(64, lambda: connections.token("acme", newer_than=newer_than))
    assert {getattr(token, "generation", token) for token in tokens} == {2}
    assert len(world.refresh.asked) == 1
    assert len(world.keys.opened) == 1


def test_a_thread_waits_for_another_no_longer_than_it_may() -> None:
    """The error is worth another try; the one at work goes on."""
    world = World(row())
    connections = world.connections(wait=0.0)
    held, done = threading.Event(), threading.Event()
    find = world.rows.find

    def find_when_let(grant: str, subdomain: object, *, consistent: bool) -> StoredToken | None:
        held.set()
        done.wait(10)
        return find(grant, subdomain, consistent=consistent)  # type: ignore[arg-type]

    world.rows.find = find_when_let  # type: ignore[method-assign]
    first = threading.Thread(target=connections.token, args=("acme",))
    first.start()
    held.wait(10)
    with pytest.raises(RefreshPendingError):
        connections.token("acme")
    done.set()
    first.join()
    assert connections.token("acme").generation == 1


def test_connections_of_different_accounts_do_not_wait_for_each_other() -> None:
    """A slow refresh of one customer is nobody else's."""
    other_done = threading.Event()

    def read(question: object, _: float) -> object:
        if getattr(question, "subdomain", "") == "slow":
            assert other_done.wait(10)
        return World(row()).read_token(question_of("acme"), 55.0)

    connections = module.Connections(
        read,  # type: ignore[arg-type]
        "https://{subdomain}.zendesk.com",
        module.Clocks(BEGAN.timestamp, lambda: 0.0),
    )
    slow = threading.Thread(target=connections.token, args=("slow",))
    slow.start()
    connections.token("fast")
    other_done.set()
    slow.join()


def test_nothing_of_a_token_is_printed() -> None:
    """Neither the token nor what keeps it shows its text."""
    connections = World(row()).connections()
    token = connections.token("acme")
    assert token.value.reveal() == "token-1"
    assert (
        "token-1"
        not in f"{token!r} {token} {connections!r} {connections._kept!r} {connections.auth('acme')!r}"
    )
