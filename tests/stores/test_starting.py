"""What every install store must do with installs that begin."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.doubles.samples import (
    ACME,
    GLOBEX,
    INSTALL_ID,
    STATE,
    offered,
    pending,
    start,
)
from tests.doubles.scripted import NOON
from tests.stores.seeing import Stores
from zendesk_oauth.errors import VersionConflictError
from zendesk_oauth.models.install import OFFER_LIFE, PENDING_LIFE, InstallStatus
from zendesk_oauth.models.secret import OneUseSecret, Secret


def test_an_install_is_found_as_it_was_put(stores: Stores) -> None:
    """What was written is what is read: every field, and none made up."""
    stores.installs.put_if_absent(pending())
    assert stores.installs.find(INSTALL_ID) == pending()


@pytest.mark.parametrize("text", ["#status = :new_status", "' OR '1'='1", '{"$ne": null}', "a) OR (b"])
def test_what_looks_like_an_expression_is_a_value(stores: Stores, text: str) -> None:
    """A text that comes from outside stands in no expression, so it is found as it was put and opens no other row."""
    stores.installs.put_if_absent(replace(offered(), user_reference=text))
    found = stores.installs.find(INSTALL_ID)
    assert found is not None
    assert found.user_reference == text
    assert stores.installs.find(text) is None


def test_an_unknown_install_is_none(stores: Stores) -> None:
    """Absence is None, not an error."""
    assert stores.installs.find(INSTALL_ID) is None
    assert stores.installs.find_candidate(INSTALL_ID) is None


def test_an_id_is_taken_once(stores: Stores) -> None:
    """A second install under the same id is refused, and the first stays."""
    stores.installs.put_if_absent(pending())
    with pytest.raises(VersionConflictError):
        stores.installs.put_if_absent(replace(pending(), state_fingerprint="another"))
    assert stores.installs.find(INSTALL_ID) == pending()


def test_putting_the_same_install_again_is_the_same_write(stores: Stores) -> None:
    """A put whose answer was lost can be repeated."""
    stores.installs.put_if_absent(pending())
    stores.installs.put_if_absent(pending())
    assert stores.installs.find(INSTALL_ID) == pending()


def test_an_invitation_starts_its_install(stores: Stores) -> None:
    """The offered row becomes pending, with ten minutes and the browser's fingerprints."""
    stores.installs.put_if_absent(offered())
    change = stores.installs.start_offered(start(), NOON + timedelta(seconds=59))
    assert change.made
    assert change.install == replace(
        offered(),
        status=InstallStatus.PENDING,
        state_fingerprint=STATE.fingerprint,
        browser_fingerprint=start().browser_fingerprint,
        expires_at=NOON + timedelta(seconds=59) + PENDING_LIFE,
    )
    assert stores.installs.find(INSTALL_ID) == change.install


def test_an_invitation_works_once(stores: Stores) -> None:
    """Another browser with the same link gets nothing."""
    stores.installs.put_if_absent(offered())
    first = stores.installs.start_offered(start(), NOON)
    second = stores.installs.start_offered(start(browser=Secret("x" * 43)), NOON)
    assert not second.made
    assert second.install == first.install


def test_starting_the_same_again_is_the_same_write(stores: Stores) -> None:
    """A start whose answer was lost is recognised by its browser's fingerprint."""
    stores.installs.put_if_absent(offered())
    first = stores.installs.start_offered(start(), NOON)
    assert stores.installs.start_offered(start(), NOON) == first


def test_an_invitation_that_is_over_starts_nothing(stores: Stores) -> None:
    """At 60 seconds sharp it is over, though the row is still there."""
    stores.installs.put_if_absent(offered())
    change = stores.installs.start_offered(start(), NOON + OFFER_LIFE)
    assert not change.made
    assert change.install == offered()


def test_a_wrong_invitation_starts_nothing(stores: Stores) -> None:
    """The id alone is not the invitation."""
    stores.installs.put_if_absent(offered())
    wrong = replace(start(), invitation=OneUseSecret(INSTALL_ID, Secret("w" * 43)))
    assert not stores.installs.start_offered(wrong, NOON).made


def test_an_unknown_invitation_starts_nothing(stores: Stores) -> None:
    """There is no row, and none is made."""
    change = stores.installs.start_offered(start(), NOON)
    assert not change.made
    assert change.install is None
    assert stores.installs.find(INSTALL_ID) is None


def test_an_invitation_without_a_subdomain_waits_for_one(stores: Stores) -> None:
    """Nothing is used up until the person has said which account it is."""
    stores.installs.put_if_absent(offered(subdomain=None))
    change = stores.installs.start_offered(start(), NOON)
    assert not change.made
    assert change.install == offered(subdomain=None)
    started = stores.installs.start_offered(start(subdomain=GLOBEX), NOON)
    assert started.made
    assert started.install is not None
    assert started.install.subdomain == GLOBEX


def test_an_invitation_keeps_its_subdomain(stores: Stores) -> None:
    """Whatever the browser says, the account is the one that was invited."""
    stores.installs.put_if_absent(offered())
    started = stores.installs.start_offered(start(subdomain=GLOBEX), NOON)
    assert started.install is not None
    assert started.install.subdomain == ACME


def test_an_install_that_began_openly_has_no_invitation(stores: Stores) -> None:
    """A pending install cannot be started as if it were offered."""
    stores.installs.put_if_absent(pending())
    assert not stores.installs.start_offered(start(), NOON).made
