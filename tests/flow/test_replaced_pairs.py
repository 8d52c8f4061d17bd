"""Installs over installs: each replaced pair has its own row, and ends at Zendesk or is reported."""

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from local.zendesk.person import approve
from tests.flow.refreshing import event, handing_over, rescued_messages, without_store
from tests.flow.sinks import Sinks
from tests.flow.wire import at_the_same_time
from tests.flow.world import Browser, World
from zendesk_oauth.errors import StoreUnavailableError
from zendesk_oauth.models.refresh import CLAIM_LIFE, REPLAY_ROUND

OVER = timedelta(hours=49)
"""After this no access token lives by its own clock: only its refresh token can say what became of a pair."""
LATER = CLAIM_LIFE + REPLAY_ROUND


def schedule(world: World) -> list[dict[str, Any]]:
    """Return what the schedule hands over now, the oldest pair first."""
    left = [row for row in world.replaced() if "unfinished_at" in row]
    with handing_over(world, len(left)) as handed:
        world.refresh(event("unfinished"))
    by_name = {each["finish"]["replaced"]: each for each in handed}
    left.sort(key=lambda row: int(row["epoch"]["N"]))
    names = [row["connection_key"]["S"].rpartition("#")[2] for row in left]
    return [by_name[name] for name in names]


def said(sinks: Sinks) -> list[str]:
    """Return how replaced pairs are said to have ended."""
    lines = [json.loads(line) for line in sinks.stdout.splitlines() if '"replaced pair looked after"' in line]
    return [line["outcome"] for line in lines]


@pytest.mark.parametrize(("size", "installs"), [(4_000, 120), (16_000, 40)])
def test_case_row_over_400kb(world: World, browser: Browser, size: int, installs: int) -> None:
    """R34: an install always succeeds, however many pairs cannot be revoked meanwhile: none shares a row."""
    for number in range(1, installs + 1):
        callback = approve(browser.begin())
        token = f"{number:05d}" + "t" * (size - 5)
        body = {
            "access_token": token,
            "refresh_token": "r" + token[1:],
            "token_type": "bearer",
            "scope": "users:read tickets:read",
            "expires_in": 172_800,
            "refresh_token_expires_in": 7_776_000,
        }
        world.zendesk.misbehave("answer", endpoint="token", status=200, body=json.dumps(body))
        person = '{"user": {"id": 1, "role": "admin"}}'
        world.zendesk.misbehave("answer", endpoint="users_me", status=200, body=person)
        assert browser.callback(callback).status == 303, number
    row = world.connection()
    assert row is not None
    assert (int(row["epoch"]["N"]), len(world.replaced())) == (installs, installs - 1)


def test_r30_no_replaced_pair_overwrites_another(world: World, browser: Browser, sinks: Sinks) -> None:
    """Installs A, B, C; the answer of B's revocation is lost: A is still there, and both come to their end."""
    for _ in "ABC":
        assert browser.connect().status == 303
    world.clock.advance(OVER)
    _, second = schedule(world)
    world.zendesk.misbehave("lost")
    assert world.refresh(second, world.account.cold("refresh"))["outcome"] == "postponed"
    assert sum("refresh_token" in row for row in world.replaced()) == 2
    world.clock.advance(timedelta(hours=1) + LATER)
    for each in schedule(world):
        assert world.refresh(each, world.account.cold("refresh"))["outcome"] == "finished"
    assert said(sinks)[-2:] == ["revoked", "given_up"]
    assert '"TokenLeftAlive"' in sinks.stdout


def test_r31_two_visits_at_once_send_one_post(world: World, browser: Browser) -> None:
    """The one that loses the claim asks Zendesk nothing."""
    for _ in "AB":
        browser.connect()
    world.clock.advance(OVER)
    (each,), posts, seen = schedule(world), world.posts, []
    world.wire.fail(
        "dynamodb.UpdateItem",
        at_the_same_time(lambda: seen.append(world.refresh(each, world.account.cold("refresh")))),
    )
    assert world.refresh(each)["outcome"] == "postponed"
    assert [answer["outcome"] for answer in seen] == ["finished"]
    assert world.posts == posts + 1


def test_r31_a_crash_between_post_and_write_is_reported(world: World, browser: Browser, sinks: Sinks) -> None:
    """The claim is durable before the POST: whoever comes after the crash finds a dead pair, and `given_up` rings."""
    for _ in "AB":
        browser.connect()
    world.clock.advance(OVER)
    (each,), posts = schedule(world), world.posts

    def crash() -> None:
        raise SystemExit

    world.wire.fail("dynamodb.UpdateItem", lambda _: None, at_the_same_time(crash))
    with pytest.raises(SystemExit):
        world.refresh(each, world.account.cold("refresh"))
    assert (world.posts, world.refresh(each)["outcome"]) == (posts + 1, "postponed")
    world.clock.advance(LATER)
    assert world.refresh(each, world.account.cold("refresh"))["outcome"] == "finished"
    assert (said(sinks)[-1], world.posts) == ("given_up", posts + 2)
    assert '"TokenLeftAlive"' in sinks.stdout


def test_r30_an_install_over_a_refresh_in_flight_loses_nothing(
    world: World, browser: Browser, sinks: Sinks
) -> None:
    """The refresh finds another pair at its commit: its own gets a row and is revoked, and nobody is alarmed."""
    browser.connect()
    world.clock.advance(timedelta(hours=47, minutes=55))
    world.wire.fail("dynamodb.UpdateItem", lambda _: None, at_the_same_time(browser.connect))
    assert world.refresh(event("due"))["outcome"] == "current"
    assert world.alive == 1
    world.clock.advance(LATER)
    for each in schedule(world):
        assert world.refresh(each, world.account.cold("refresh"))["outcome"] == "finished"
    assert said(sinks) == ["not_alive"]
    assert '"TokenLeftAlive"' not in sinks.stdout
    assert world.alive == 1


def test_r6_a_rescued_renewal_of_a_replaced_pair_ends(world: World, browser: Browser) -> None:
    """The table is away after the POST and the revocation fails: the queue has the pair, and its replay ends it."""
    for _ in "AB":
        browser.connect()
    world.clock.advance(OVER)
    (each,) = schedule(world)
    world.zendesk.misbehave("server_error", endpoint="delete_token")
    with suppress(StoreUnavailableError):
        world.refresh(each, without_store(world))
    assert world.alive == 2
    messages = rescued_messages(world)
    assert world.refresh(messages, world.account.cold("refresh")) == {"batchItemFailures": []}
    (row,) = world.replaced()
    assert (row["status"], row["revocation"], row["generation"]) == (
        {"S": "disconnected"},
        {"S": "revoked"},
        {"N": "2"},
    )
    assert world.alive == 1
    assert world.refresh(messages, world.account.cold("refresh")) == {"batchItemFailures": []}
    assert not any("refresh_token" in row for row in world.replaced())
