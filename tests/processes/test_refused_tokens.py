"""Zendesk no longer takes what the row holds: it said 401, a backup was restored, or the account is gone.

The rule: Zendesk is asked before anything is believed, and whatever it says, the asking comes to an end.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.processes.deployment import REFRESH_LIFE
from tests.processes.scene import DUE, Scene
from zendesk_oauth.models.refresh import Asked, LossReason, RefreshOutcome, Version

FIRST = Version(1, 1)
HOUR = 3600.0
DAY = 24 * HOUR
WORKERS = 12


def test_r22_a_401_to_a_living_token_refreshes_nothing(scene: Scene) -> None:
    """Zendesk itself says that it lives: however many 401s, no POST, and the token stays."""
    scene.pass_time(HOUR)
    outcomes = {scene.ask(Asked.FAILED, FIRST).outcome for _ in range(10)}
    assert outcomes == {RefreshOutcome.CURRENT}
    assert (scene.posts, scene.is_whole(1)) == (0, True)


def test_r22_many_401s_of_a_dead_token_are_one_refresh(scene: Scene) -> None:
    """The access token died before its time: a dozen workers come with their 401s, at once and later."""
    scene.pass_time(HOUR)
    (pair,) = scene.zendesk.alive("acme")
    pair.access_ends_at = scene.zendesk.clock()
    with ThreadPoolExecutor(WORKERS) as pool:
        outcomes = Counter(
            pool.map(lambda _: scene.ask(Asked.FAILED, FIRST, ports=scene.cold()).outcome, range(WORKERS))
        )
    assert outcomes[RefreshOutcome.REFRESHED] == 1
    assert outcomes.keys() <= {
        RefreshOutcome.REFRESHED,
        RefreshOutcome.IN_PROGRESS,
        RefreshOutcome.CURRENT,
    }
    scene.pass_time(HOUR)
    assert scene.ask(Asked.FAILED, FIRST).outcome is RefreshOutcome.CURRENT
    assert (scene.posts, scene.is_whole(2)) == (1, True)


def test_r22_a_token_that_an_admin_revoked_is_told_after_one_post(scene: Scene) -> None:
    """Both halves are dead: the refresh is refused once, and nobody asks Zendesk again."""
    scene.pass_time(HOUR)
    scene.zendesk.revoke_all("acme")
    for _ in range(5):
        assert scene.ask(Asked.FAILED, FIRST).outcome is RefreshOutcome.RECONNECT_REQUIRED
        scene.pass_time(HOUR)
    assert scene.connection().reconnect_reason == LossReason.GRANT_REJECTED
    assert scene.posts == 1


@pytest.mark.parametrize(
    ("asked", "later"),
    [
        pytest.param(Asked.FAILED, HOUR, id="a worker's 401"),
        pytest.param(Asked.DUE, DUE, id="the token is due"),
        pytest.param(Asked.IDLE, 65 * DAY, id="the keep-alive"),
    ],
)
def test_r25_a_row_out_of_a_backup_ends_in_reconnect_required(
    scene: Scene, asked: Asked, later: float
) -> None:
    """Its refresh token was spent after the backup: one POST is refused, and then nobody asks any more."""
    backup = scene.row()
    scene.pass_time(DUE)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    if asked is Asked.FAILED:
        scene.pass_time(-DUE)
    scene.pass_time(later)
    scene.put_row(backup)
    for _ in range(5):
        assert scene.ask(asked, FIRST).outcome is RefreshOutcome.RECONNECT_REQUIRED
        scene.pass_time(HOUR)
    assert scene.connection().reconnect_reason == LossReason.GRANT_REJECTED
    assert scene.posts == 2


def test_r25_a_restored_row_is_healed_by_a_new_install(scene: Scene) -> None:
    """Versions go on from those of the backup, and the next refresh is as any other."""
    backup = scene.row()
    scene.pass_time(DUE)
    scene.ask()
    scene.pass_time(HOUR)
    scene.put_row(backup)
    assert scene.ask().outcome is RefreshOutcome.RECONNECT_REQUIRED
    scene.zendesk.revoke_all("acme")
    scene.connect()
    scene.pass_time(DUE)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert scene.is_whole(3)


@pytest.mark.parametrize("what", ["renamed", "deleted"])
def test_r26_an_account_that_is_gone_is_asked_less_and_less(scene: Scene, what: str) -> None:
    """A page with 404 for every word: a day of questions makes a few dozen POSTs, and nothing is given up yet."""
    scene.pass_time(DUE)
    if what == "renamed":
        scene.zendesk.rename_subdomain("acme", "acme-renamed")
    else:
        scene.zendesk.delete_account("acme")
    outcomes = set()
    for pause in [10.0] * 60 + [600.0] * 6 * 24:
        outcomes.add(scene.ask().outcome)
        scene.pass_time(pause)
    assert outcomes == {RefreshOutcome.UNRESOLVED, RefreshOutcome.POSTPONED}
    assert scene.posts < 40
    assert scene.connection().is_active


def test_r26_an_account_that_stays_away_is_given_up_when_its_refresh_token_is_over(scene: Scene) -> None:
    """Until then the subdomain may come back; after that nothing could be refreshed any more, and it is told."""
    scene.pass_time(DUE)
    scene.zendesk.rename_subdomain("acme", "acme-renamed")
    scene.ask()
    scene.pass_time((REFRESH_LIFE + timedelta(hours=1)).total_seconds())
    assert scene.ask().outcome is RefreshOutcome.RECONNECT_REQUIRED
    assert scene.connection().reconnect_reason == LossReason.GRANT_REJECTED
    posts = scene.posts
    scene.pass_time(DAY)
    assert scene.ask().outcome is RefreshOutcome.RECONNECT_REQUIRED
    assert scene.posts == posts


def test_r26_a_subdomain_that_comes_back_is_refreshed(scene: Scene) -> None:
    """Renamed by mistake and named back a day later: the same refresh token is spent, and nobody reconnects."""
    scene.pass_time(DUE)
    scene.zendesk.rename_subdomain("acme", "acme-renamed")
    for _ in range(24):
        scene.ask()
        scene.pass_time(HOUR)
    scene.zendesk.accounts.rename("acme-renamed", "acme")
    scene.pass_time(HOUR)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert scene.is_whole(2)
