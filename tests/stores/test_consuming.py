"""What every install store must do with Zendesk's redirect: once, for the rightful browser, in time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.doubles.samples import (
    ACME,
    GLOBEX,
    HANDLE,
    INSTALL_ID,
    allowed,
    denied,
    establishment,
    pending,
    proof,
)
from tests.doubles.scripted import NOON
from tests.stores.seeing import Stores
from zendesk_oauth.errors import VersionConflictError
from zendesk_oauth.models.install import CANDIDATE_LIFE, EXCHANGE_LIFE, PENDING_LIFE, InstallStatus
from zendesk_oauth.models.secret import OneUseSecret, Secret
from zendesk_oauth.ports import Proof

SOON = NOON + timedelta(seconds=30)


@pytest.fixture
def waiting(stores: Stores) -> Stores:
    """Return stores in which an install waits for its redirect."""
    stores.installs.put_if_absent(pending())
    return stores


@pytest.fixture
def exchanging(waiting: Stores) -> Stores:
    """Return stores in which an install's code is being exchanged."""
    assert waiting.installs.consume(proof(), allowed(), NOON).made
    return waiting


def test_allow_makes_it_exchanging_for_a_minute(waiting: Stores) -> None:
    """The row says so in the very write that consumes it."""
    change = waiting.installs.consume(proof(), allowed(), SOON)
    assert change.made
    assert change.install == replace(
        pending(), status=InstallStatus.EXCHANGING, expires_at=SOON + EXCHANGE_LIFE
    )
    assert waiting.installs.find(INSTALL_ID) == change.install


def test_deny_is_an_outcome_with_its_reason(waiting: Stores) -> None:
    """A denial ends the install in one write."""
    change = waiting.installs.consume(proof(), denied(), SOON)
    assert change.made
    assert change.install == replace(pending(), status=InstallStatus.DENIED, reason="access_denied")


def test_it_is_consumed_once(waiting: Stores) -> None:
    """The second callback gets the row as the first left it, and changes nothing."""
    first = waiting.installs.consume(proof(), allowed("attempt-1"), NOON)
    second = waiting.installs.consume(proof(), denied("attempt-2"), NOON)
    assert not second.made
    assert second.install == first.install == waiting.installs.find(INSTALL_ID)


def test_consuming_the_same_again_is_the_same_write(waiting: Stores) -> None:
    """A write whose answer was lost is recognised by its attempt."""
    first = waiting.installs.consume(proof(), allowed(), NOON)
    assert waiting.installs.consume(proof(), allowed(), NOON) == first


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(proof(browser=Secret("x" * 43)), id="another browser"),
        pytest.param(proof(state=OneUseSecret(INSTALL_ID, Secret("x" * 43))), id="another state"),
        pytest.param(proof(issuer=GLOBEX), id="another issuer"),
    ],
)
def test_a_stranger_can_neither_finish_nor_burn_it(waiting: Stores, wrong: Proof) -> None:
    """A wrong proof changes nothing, and the rightful browser still finishes."""
    refused = waiting.installs.consume(wrong, denied("attempt-x"), NOON)
    assert not refused.made
    assert refused.install == pending()
    assert waiting.installs.consume(proof(issuer=ACME), allowed(), NOON).made


def test_an_install_that_is_over_is_not_consumed(waiting: Stores) -> None:
    """At 600 seconds sharp it is over, though the row is still there."""
    change = waiting.installs.consume(proof(), allowed(), NOON + PENDING_LIFE)
    assert not change.made
    assert change.install == pending()


def test_an_unknown_install_is_not_consumed(stores: Stores) -> None:
    """There is no row, and none is made."""
    change = stores.installs.consume(proof(), allowed(), NOON)
    assert not change.made
    assert change.install is None
    assert stores.installs.find(INSTALL_ID) is None


def test_an_exchange_can_fail(exchanging: Stores) -> None:
    """The failure is the outcome, with its reason; nothing is due for revocation."""
    change = exchanging.installs.fail(INSTALL_ID, "grant_rejected", None, SOON)
    assert change.made
    assert change.install is not None
    assert (change.install.status, change.install.reason) == (InstallStatus.FAILED, "grant_rejected")
    assert list(exchanging.installs.due_for_revocation(NOON + timedelta(days=1))) == []


def test_failing_the_same_again_is_the_same_write(exchanging: Stores) -> None:
    """A failure whose answer was lost can be written again."""
    first = exchanging.installs.fail(INSTALL_ID, "grant_rejected", None, SOON)
    assert exchanging.installs.fail(INSTALL_ID, "grant_rejected", None, SOON) == first


def test_only_an_exchange_can_fail(waiting: Stores) -> None:
    """An install that waits, or is over for another reason, is left alone."""
    assert not waiting.installs.fail(INSTALL_ID, "grant_rejected", None, SOON).made
    waiting.installs.consume(proof(), denied(), NOON)
    change = waiting.installs.fail(INSTALL_ID, "grant_rejected", None, SOON)
    assert not change.made
    assert change.install is not None
    assert change.install.status is InstallStatus.DENIED


def test_an_unknown_install_cannot_fail(stores: Stores) -> None:
    """There is no row, and none is made."""
    change = stores.installs.fail(INSTALL_ID, "grant_rejected", None, SOON)
    assert not change.made
    assert change.install is None


def test_a_failed_exchange_keeps_an_unrevoked_pair(exchanging: Stores) -> None:
    """It is due for revocation after a minute, sealed as it was."""
    exchanging.installs.fail(INSTALL_ID, "wrong_role", establishment(), NOON)
    assert list(exchanging.installs.due_for_revocation(NOON + timedelta(seconds=59))) == []
    assert list(exchanging.installs.due_for_revocation(NOON + timedelta(seconds=60))) == [INSTALL_ID]
    candidate = exchanging.installs.find_candidate(INSTALL_ID)
    assert candidate is not None
    assert candidate.establishment == establishment()


def test_an_exchange_becomes_a_candidate(exchanging: Stores) -> None:
    """The candidate has ten minutes, its handle's fingerprint and the whole establishment."""
    exchanging.installs.keep_candidate(INSTALL_ID, establishment(), HANDLE.fingerprint, SOON)
    candidate = exchanging.installs.find_candidate(INSTALL_ID)
    assert candidate is not None
    assert candidate.establishment == establishment()
    assert candidate.install == replace(
        pending(),
        status=InstallStatus.CANDIDATE,
        handle_fingerprint=HANDLE.fingerprint,
        missing_scopes=("tickets:read",),
        expires_at=SOON + CANDIDATE_LIFE,
    )


def test_a_candidate_may_not_know_who_allowed_it(exchanging: Stores) -> None:
    """What was not found out stays None."""
    unknown = replace(establishment(), authorized_by=None)
    exchanging.installs.keep_candidate(INSTALL_ID, unknown, HANDLE.fingerprint, SOON)
    candidate = exchanging.installs.find_candidate(INSTALL_ID)
    assert candidate is not None
    assert candidate.establishment == unknown


def test_keeping_the_same_candidate_again_is_the_same_write(exchanging: Stores) -> None:
    """A write whose answer was lost is recognised by its commit."""
    for _ in range(2):
        exchanging.installs.keep_candidate(INSTALL_ID, establishment(), HANDLE.fingerprint, SOON)


def test_only_an_exchange_becomes_a_candidate(waiting: Stores) -> None:
    """An install that waits is refused, and so is one that there is not."""
    with pytest.raises(VersionConflictError):
        waiting.installs.keep_candidate(INSTALL_ID, establishment(), HANDLE.fingerprint, SOON)
    with pytest.raises(VersionConflictError):
        waiting.installs.keep_candidate("B" * 22, establishment(), HANDLE.fingerprint, SOON)


def test_another_exchange_is_not_mistaken_for_ours(exchanging: Stores) -> None:
    """A candidate of another commit is a conflict."""
    exchanging.installs.keep_candidate(INSTALL_ID, establishment(), HANDLE.fingerprint, SOON)
    with pytest.raises(VersionConflictError):
        exchanging.installs.keep_candidate(INSTALL_ID, establishment("commit-2"), HANDLE.fingerprint, SOON)
