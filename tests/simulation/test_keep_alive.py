"""The keep-alive schedule at a hundredth of its size; `python -m tests.simulation.keep_alive` plays all of it."""

from datetime import timedelta

import pytest

from tests.simulation.keep_alive import ALARM_SECONDS, Play, Scale, Seen, main, old_rule

SMALL = Scale(10_000)


@pytest.mark.parametrize(
    "scale",
    [
        SMALL,
        SMALL._replace(dead_share=0.25, days=40),
        SMALL._replace(refresh_life=timedelta(days=7), days=14),
        SMALL._replace(concurrency=3, days=50, seed=2),
    ],
    ids=["5 % dead", "25 % dead", "refresh tokens of 7 days", "3 executions at a time"],
)
def test_r33_no_number_of_dead_accounts_delays_a_living_one_past_its_expiry(scale: Scale) -> None:
    """All of the dead are due at once: no living connection is late by half a day, and no invocation is pointless.

    But with few executions a tick names again what still waits for one in the first hours.
    """
    seen = Play(scale).run()
    assert seen.late == 0
    assert seen.longest_wait < ALARM_SECONDS / 2
    assert seen.refreshed > 0.9 * scale.connections * (1 - scale.dead_share) * scale.days / 60
    allowed = 0.0 if scale.concurrency == SMALL.concurrency else 0.15 * (seen.refreshed + seen.tried_in_vain)
    assert seen.pointless <= allowed


def test_r32_dead_accounts_do_not_ring_the_alarm_and_are_tried_once_a_day() -> None:
    """After the first hours, which double, each is tried once in 18 to 25 hours, and no tick finds one a day late."""
    seen = Play(SMALL).run()
    assert seen.alarms == 0
    dead, days = SMALL.connections * SMALL.dead_share, SMALL.days
    assert dead * days * 0.9 < seen.tried_in_vain < dead * (days * 24 / 18 + 12)


def test_r33_the_rule_that_leaves_dead_rows_in_front_loses_living_ones() -> None:
    """The same play without the rule: living connections are never reached, and the alarm rings all the time."""
    seen = Play(SMALL._replace(days=50), old_rule).run()
    assert seen.late > 0.1 * SMALL.connections
    assert seen.alarms > 40 * 86_400 / 300
    assert seen.pointless > 0


def test_the_command_fails_where_a_connection_is_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its exit code says it, and its last line says how many."""
    monkeypatch.setenv("CONNECTIONS", "2000")
    assert main() == 0
    assert "keep-alive: 2000 connections, 60 days, seed 1" in capsys.readouterr().out
    monkeypatch.setenv("RULE", "old")
    assert main() == 1


def test_what_was_seen_is_said() -> None:
    """Each number that the command prints is one that was counted."""
    assert str(Seen(refreshed=1, late=2, longest_wait=7200.0)).startswith(
        "1 refreshed, 2 past their refresh token's expiry, longest wait 2.00 h"
    )
