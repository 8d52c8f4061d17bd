"""What every install store must do with tokens that must not live on."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.doubles.samples import (
    ACME,
    HANDLE,
    INSTALL_ID,
    allowed,
    establishment,
    offered,
    pending,
    proof,
    start,
)
from tests.doubles.scripted import NOON
from tests.stores.seeing import Stores
from zendesk_oauth.models.install import CANDIDATE_LIFE, InstallStatus
from zendesk_oauth.models.tokens import SealContext

OVER = NOON + CANDIDATE_LIFE
LEASE = timedelta(minutes=5)


def candidate_at_noon(stores: Stores) -> None:
    """Bring an invited install as far as its confirmation."""
    stores.installs.put_if_absent(offered())
    stores.installs.start_offered(start(), NOON)
    stores.installs.consume(proof(), allowed(), NOON)
    stores.installs.keep_candidate(INSTALL_ID, establishment(), HANDLE.fingerprint, NOON)


def failure_at_noon(stores: Stores) -> None:
    """Let an install fail that leaves a token alive."""
    stores.installs.put_if_absent(pending())
    stores.installs.consume(proof(), allowed(), NOON)
    stores.installs.fail(INSTALL_ID, "wrong_role", establishment(), NOON)


@pytest.fixture
def unconfirmed(stores: Stores) -> Stores:
    """Return stores with a candidate that began at noon."""
    candidate_at_noon(stores)
    return stores


@pytest.fixture
def failed(stores: Stores) -> Stores:
    """Return stores with an install that failed at noon and left a token alive."""
    failure_at_noon(stores)
    return stores


def due(stores: Stores, now: datetime) -> list[str]:
    """Return what is due then."""
    return list(stores.installs.due_for_revocation(now))


def test_a_candidate_is_due_when_its_time_is_over(unconfirmed: Stores) -> None:
    """Not before: until then it can be confirmed."""
    assert due(unconfirmed, OVER - timedelta(seconds=1)) == []
    assert due(unconfirmed, OVER) == [INSTALL_ID]


def test_a_candidate_cannot_be_leased_before_its_time_is_over(unconfirmed: Stores) -> None:
    """A list of yesterday cannot take what is still to be confirmed."""
    assert unconfirmed.installs.lease_revocation(INSTALL_ID, OVER - timedelta(seconds=1)) is None


def test_leasing_a_candidate_abandons_it(unconfirmed: Stores) -> None:
    """The write that takes it for revocation is the one that ends it."""
    leased = unconfirmed.installs.lease_revocation(INSTALL_ID, OVER)
    assert leased is not None
    assert (leased.install.status, leased.install.reason) == (InstallStatus.ABANDONED, "unconfirmed")
    assert leased.context == SealContext("default", ACME)
    assert leased.commit_id == "commit-1"
    assert leased.access_token == establishment().sealed.access_token
    assert leased.access_expires_at == establishment().times.expires_at
    assert unconfirmed.installs.find(INSTALL_ID) == leased.install


def test_leasing_a_failed_install_leaves_it_failed(failed: Stores) -> None:
    """Its outcome was written before, with its reason."""
    leased = failed.installs.lease_revocation(INSTALL_ID, NOON + timedelta(minutes=1))
    assert leased is not None
    assert (leased.install.status, leased.install.reason) == (InstallStatus.FAILED, "wrong_role")


@pytest.mark.parametrize("bring_about", [candidate_at_noon, failure_at_noon])
def test_what_is_leased_is_left_alone_for_five_minutes(
    stores: Stores, bring_about: Callable[[Stores], None]
) -> None:
    """Then, if nobody closed it, it is due again."""
    bring_about(stores)
    assert stores.installs.lease_revocation(INSTALL_ID, OVER) is not None
    assert due(stores, OVER + LEASE - timedelta(seconds=1)) == []
    assert stores.installs.lease_revocation(INSTALL_ID, OVER + LEASE - timedelta(seconds=1)) is None
    assert due(stores, OVER + LEASE) == [INSTALL_ID]
    assert stores.installs.lease_revocation(INSTALL_ID, OVER + LEASE) is not None


@pytest.mark.parametrize("bring_about", [candidate_at_noon, failure_at_noon])
def test_closing_erases_the_pair_and_notes_how_it_ended(
    stores: Stores, bring_about: Callable[[Stores], None]
) -> None:
    """Nothing is due any more, and there is nothing left to open."""
    bring_about(stores)
    stores.installs.lease_revocation(INSTALL_ID, OVER)
    stores.installs.close_revocation(INSTALL_ID, "revoked")
    assert due(stores, OVER + timedelta(days=1)) == []
    assert stores.installs.lease_revocation(INSTALL_ID, OVER + timedelta(days=1)) is None
    candidate = stores.installs.find_candidate(INSTALL_ID)
    assert candidate is not None
    assert candidate.establishment is None
    assert stores.revocation(INSTALL_ID) == "revoked"


def test_closing_twice_keeps_the_first_outcome(failed: Stores) -> None:
    """Whoever comes late with another outcome changes nothing."""
    failed.installs.lease_revocation(INSTALL_ID, OVER)
    failed.installs.close_revocation(INSTALL_ID, "revoked")
    failed.installs.close_revocation(INSTALL_ID, "not_alive")
    assert failed.revocation(INSTALL_ID) == "revoked"


def test_closing_an_unknown_install_makes_no_row(stores: Stores) -> None:
    """DynamoDB may have removed it meanwhile."""
    stores.installs.close_revocation(INSTALL_ID, "revoked")
    assert stores.installs.find(INSTALL_ID) is None
    assert stores.installs.lease_revocation(INSTALL_ID, OVER) is None


def test_an_install_without_a_token_cannot_be_leased(stores: Stores) -> None:
    """A pending install holds nothing to revoke."""
    stores.installs.put_if_absent(pending())
    assert stores.installs.lease_revocation(INSTALL_ID, OVER) is None
