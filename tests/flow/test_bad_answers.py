"""Whatever Zendesk answers to an exchange: one POST, a page with a reason, nothing changed but the install's end.

A fresh token is left alive only where no answer of ours could have named it.
"""

import time
import tracemalloc
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from local.zendesk.person import approve
from tests.flow.world import BASE_URL, Browser, Row, World, state_of

SHORT_SECONDS = 1.0
MOST_SECONDS = 8.0
"""Bounded, and yet enough for a busy machine; what is waited for in vain here lasts 30 s or for ever."""
MOST_MEMORY = 20_000_000


@dataclass(frozen=True)
class Bad:
    """A misbehaviour, why the install then failed, and how many fresh tokens nobody could revoke."""

    kind: str
    reason: str
    status: int
    unknown: int = 0
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([self.kind, *(f"{name}={value!r}"[:40] for name, value in self.options.items())])


def bad(kind: str, reason: str, status: int, unknown: int = 0, /, **options: Any) -> Bad:
    """Return one, its options by name."""
    return Bad(kind, reason, status, unknown, options)


UNINTELLIGIBLE = ("unintelligible_answer", 502)
UNUSABLE = ("unusable_tokens", 502)
UNAVAILABLE = ("provider_unavailable", 503)
LOST = ("answer_lost", 502)
AT_THE_TOKEN_ENDPOINT = [
    bad("html", *LOST, 1),
    bad("empty_object", *LOST, 1),
    bad("null_token", *LOST, 1),
    bad("no_refresh_token", *UNUSABLE),
    bad("token_type", *UNUSABLE),
    bad("big_body", *LOST, 1),
    bad("gzip_bomb", *LOST, 1),
    bad("no_content", *LOST, 1),
    bad("cut_body", *LOST, 1),
    *(bad("redirect", *LOST, status=status) for status in (301, 302, 303, 307, 308)),
    bad("redirect", *LOST, 1, status=307, worked=True),
    *(bad("too_many_requests", *UNAVAILABLE, retry_after=after) for after in (1, 60, "date", "soon", None)),
    *(bad("server_error", *LOST, status=status) for status in (500, 502, 503, 504)),
    *(bad("server_error", *LOST, 1, status=status, worked=True) for status in (502, 504)),
    bad("lost", *LOST, 1),
    bad("lost", *LOST, worked=False),
    bad("oauth_error", "grant_rejected", 400, error="invalid_grant"),
    bad("oauth_error", "grant_rejected", 400, error="invalid_scope"),
    *(
        bad("oauth_error", "client_rejected", 502, error=error)
        for error in ("invalid_client", "invalid_request", "unauthorized_client", "unsupported_grant_type")
    ),
    bad("oauth_error", "unrecognised_error", 400, error="something_else"),
    bad("answer", *LOST, body="[]"),
    bad("answer", *LOST, body="null"),
    bad("answer", *LOST, body="[" * 60_000),
    bad("answer", "grant_rejected", 400, body='{"error": "invalid_grant", "access_token": "x"}'),
    bad(
        "answer",
        *LOST,
        body='{"access_token": "a\\nb", "refresh_token": "r", "token_type": "bearer"}',
    ),
]
AT_USERS_ME = [
    bad("html", *UNINTELLIGIBLE),
    bad("empty_object", *UNINTELLIGIBLE),
    bad("big_body", *UNINTELLIGIBLE),
    bad("no_content", *UNINTELLIGIBLE),
    bad("redirect", *UNINTELLIGIBLE),
    bad("lost", *UNAVAILABLE),
    bad("too_many_requests", *UNAVAILABLE, retry_after=60),
    bad("server_error", *UNAVAILABLE),
    bad("forbidden", "token_refused", 502),
    bad("invalid_token", "token_refused", 502),
    bad("answer", "wrong_role", 403, body='{"user": {"id": null, "role": "admin"}}'),
    bad("answer", "wrong_role", 403, body='{"user": {"id": 7, "role": null}}'),
    bad("answer", *UNINTELLIGIBLE, body='{"user": {"id": "7", "role": "admin"}}'),
    bad("answer", *UNINTELLIGIBLE, body='{"user": {"id": 7, "role": "admin\\n"}}'),
]
TOO_LATE = [
    bad("late_answer", *LOST, 1, seconds=30.0),
    bad("late_work", *LOST, seconds=30.0),
    bad("dripping_body", *LOST, 1, every=0.05),
    bad("dripping_headers", *LOST, 1, every=0.05),
]


@pytest.fixture
def connected(world: World, browser: Browser) -> tuple[Row | None, list[int]]:
    """Return the row of a connection that lives already, and the ids of its tokens; nothing else has been seen."""
    browser.connect()
    world.zendesk.seen.clear()
    world.wire.clear()
    return world.connection(), [pair.id for pair in world.zendesk.alive()]


def assert_only_the_install_has_failed(
    world: World, browser: Browser, expected: Bad, before: tuple[Row | None, list[int]]
) -> None:
    """Come back with a good code: one POST, the reason, the old connection, and no token that we could know."""
    callback = approve(browser.begin())
    began = time.monotonic()
    answer = browser.callback(callback)
    seconds = time.monotonic() - began

    row, living = before
    fresh = [pair for pair in world.zendesk.alive() if pair.id not in living]
    world.zendesk.release()
    assert world.status(state_of(callback)) == ("failed", expected.reason)
    assert (answer.status, expected.reason in answer.body) == (expected.status, True)
    assert world.posts == 1
    assert world.connection() == row
    assert len(fresh) == expected.unknown
    assert not {"access_token", "revoke_at"} & world.install(state_of(callback)).keys()
    assert set(living) <= {pair.id for pair in world.zendesk.alive()}
    assert seconds < MOST_SECONDS
    assert world.zendesk.seen.elsewhere == []


@pytest.mark.parametrize("answered", AT_THE_TOKEN_ENDPOINT, ids=str)
def test_a_bad_answer_to_the_exchange_ends_the_install_alone(
    world: World, browser: Browser, connected: tuple[Row | None, list[int]], answered: Bad
) -> None:
    """One POST, a typed failure in bounded time, the old connection as it was, and a readable fresh token revoked."""
    world.zendesk.misbehave(answered.kind, **answered.options)
    assert_only_the_install_has_failed(world, browser, answered, connected)


@pytest.mark.parametrize("answered", AT_USERS_ME, ids=str)
def test_a_bad_answer_to_who_allowed_it_keeps_nothing(
    world: World, browser: Browser, connected: tuple[Row | None, list[int]], answered: Bad
) -> None:
    """A token of which nobody says whose it is, is revoked."""
    world.zendesk.misbehave(answered.kind, endpoint="users_me", **answered.options)
    assert_only_the_install_has_failed(world, browser, answered, connected)


@pytest.mark.parametrize("answered", TOO_LATE, ids=str)
def test_an_answer_that_never_ends_is_given_up(
    world: World,
    browser: Browser,
    connected: tuple[Row | None, list[int]],
    answered: Bad,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However slowly it drips, the whole exchange has one deadline."""
    monkeypatch.setattr("zendesk_oauth.services.exchange_code.EXCHANGE_SECONDS", SHORT_SECONDS)
    monkeypatch.setattr("zendesk_oauth.adapters.zendesk_tokens.LEAST_SECONDS", SHORT_SECONDS / 2)
    world.zendesk.misbehave(answered.kind, **answered.options)
    assert_only_the_install_has_failed(world, browser, answered, connected)


@pytest.mark.parametrize("endpoint", ["users_me"])
def test_the_deadline_is_one_for_both_requests(
    world: World, browser: Browser, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who allowed it is asked in what the POST has left of the time; the token is revoked in a time of its own."""
    monkeypatch.setattr("zendesk_oauth.services.exchange_code.EXCHANGE_SECONDS", SHORT_SECONDS)
    monkeypatch.setattr("zendesk_oauth.adapters.zendesk_tokens.LEAST_SECONDS", SHORT_SECONDS / 2)
    world.zendesk.misbehave("late_answer", seconds=SHORT_SECONDS / 2)
    world.zendesk.misbehave("late_answer", endpoint=endpoint, seconds=30.0)
    callback = approve(browser.begin())
    began = time.monotonic()
    browser.callback(callback)
    assert time.monotonic() - began < MOST_SECONDS
    world.zendesk.release()
    assert world.status(state_of(callback)) == ("failed", "provider_unavailable")
    assert (world.posts, world.alive) == (1, 0)


@pytest.mark.parametrize("kind", ["gzip_bomb", "big_body"])
def test_memory_is_bounded(world: World, browser: Browser, kind: str) -> None:
    """Neither is a bomb unpacked nor a large body read to its end."""
    callback = approve(browser.begin())
    world.zendesk.misbehave(kind)
    tracemalloc.start()
    try:
        browser.callback(callback)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_MEMORY


@pytest.mark.parametrize("status", [200, 201])
def test_any_success_is_one(world: World, browser: Browser, status: int) -> None:
    """Zendesk's sources differ on 200 and 201; both are taken."""
    world.zendesk.switches.success_status = status
    assert browser.connect().query["result"] == "connected"
    assert world.posts == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(0, 300), (-5, 300), ("1800", 1800), (1e12, 172_800), ("x", 1800), (True, 1800), (None, 1800)],
)
def test_an_odd_lifetime_is_clamped(world: World, browser: Browser, value: object, seconds: int) -> None:
    """A token is never for ever and never already over, whatever `expires_in` says."""
    world.zendesk.misbehave("expires_in", value=value)
    assert browser.connect().query["result"] == "connected"
    assert abs(lifetime(world) - seconds) <= 2


def test_a_missing_lifetime_is_thought_short(world: World, browser: Browser) -> None:
    """Without `expires_in` the token is believed for half an hour."""
    world.zendesk.misbehave("no_expires_in")
    browser.connect()
    assert abs(lifetime(world) - 1800) <= 2


def lifetime(world: World) -> float:
    """Return the seconds that the stored access token still has."""
    row = world.connection()
    assert row is not None
    return float(row["expires_at"]["N"]) - datetime.now(UTC).timestamp()


def test_fewer_scopes_are_recorded(world: World, browser: Browser) -> None:
    """What was asked for and not given stands in both rows, and the connection is made."""
    world.zendesk.misbehave("fewer_scopes")
    callback = approve(browser.begin())
    assert browser.callback(callback).query["result"] == "connected"
    row = world.connection()
    assert row is not None
    assert (
        row["missing_scopes"]
        == world.install(state_of(callback))["missing_scopes"]
        == {"L": [{"S": "tickets:read"}]}
    )


def test_without_the_scope_to_ask_who_allowed_it_nothing_is_kept(world: World, browser: Browser) -> None:
    """A token that may not read `users/me` is revoked, which needs no scope."""
    world.zendesk.misbehave("fewer_scopes", scopes="tickets:read")
    callback = approve(browser.begin())
    assert browser.callback(callback).status == 502
    assert world.status(state_of(callback)) == ("failed", "token_refused")
    assert (world.posts, world.alive, world.connection()) == (1, 0, None)


def test_an_account_that_is_gone_is_told(world: World, browser: Browser) -> None:
    """R43: deleted between Allow and the exchange: the 404 page ends the install, and asks to check the subdomain."""
    callback = approve(browser.begin())
    world.zendesk.delete_account("acme")
    answer = browser.callback(callback)
    assert answer.status == 404
    assert "no account at this subdomain. Please check it" in answer.body
    assert f'href="{BASE_URL}/oauth/start?grant=default' in answer.body
    assert world.status(state_of(callback)) == ("failed", "account_not_found")
    assert (world.posts, world.connection()) == (1, None)


def test_a_wrong_client_secret_changes_no_connection(world: World, browser: Browser) -> None:
    """`invalid_client` for everybody: no row but the installs' own, and the next try reads the secret anew."""
    browser.connect()
    before = world.connection()
    world.zendesk.client.accept_secrets("another-one")
    statuses = [browser.connect().status for _ in range(3)]
    world.zendesk.client.accept_secrets("stand-in-client-secret")
    world.wire.clear()
    assert statuses == [502] * 3
    assert world.connection() == before
    assert browser.connect().query["result"] == "connected"
    assert world.wire.operations.count("secretsmanager.GetSecretValue") == 1


def test_a_code_that_is_over_is_grant_rejected(world: World, browser: Browser) -> None:
    """A code dies after 120 s at Zendesk, earlier than our row."""
    callback = approve(browser.begin())
    world.zendesk.clock.advance(121)
    assert browser.callback(callback).status == 400
    assert world.status(state_of(callback)) == ("failed", "grant_rejected")
