"""What every connection store must do: the connection and its install's outcome together, once, with a new epoch."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.doubles.samples import (
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
from tests.stores.seeing import SeenConnection, Stores
from zendesk_oauth.errors import VersionConflictError
from zendesk_oauth.models.install import CANDIDATE_LIFE, InstallStatus
from zendesk_oauth.ports import Candidate

FIRST = SeenConnection(
    status="active",
    epoch=1,
    generation=1,
    commit_id="commit-1",
    install_id=INSTALL_ID,
    access_token=b"access of commit-1",
    refresh_token=b"refresh of commit-1",
    scopes=("users:read",),
    missing_scopes=("tickets:read",),
    user_reference=None,
    replaced={},
)
NEXT_ID = "B" * 22


def exchange(stores: Stores, install_id: str = INSTALL_ID) -> None:
    """Bring an install as far as its exchange."""
    stores.installs.put_if_absent(replace(pending(), install_id=install_id))
    change = stores.installs.consume(replace(proof(), install_id=install_id), allowed(), NOON)
    assert change.made


def candidate(stores: Stores) -> Candidate:
    """Bring an invited install as far as its confirmation."""
    stores.installs.put_if_absent(offered())
    stores.installs.start_offered(start(), NOON)
    stores.installs.consume(proof(), allowed(), NOON)
    kept = establishment(user_reference=offered().user_reference)
    stores.installs.keep_candidate(INSTALL_ID, kept, HANDLE.fingerprint, NOON)
    found = stores.installs.find_candidate(INSTALL_ID)
    assert found is not None
    return found


def test_establishing_writes_connection_and_outcome(stores: Stores) -> None:
    """The first install of an account makes epoch 1, generation 1, and replaces nothing."""
    exchange(stores)
    stores.connections.establish(establishment(), INSTALL_ID, NOON)
    assert stores.connection(establishment()) == FIRST
    install = stores.installs.find(INSTALL_ID)
    assert install is not None
    assert install.status is InstallStatus.CONNECTED
    assert install.missing_scopes == ("tickets:read",)


def test_establishing_again_replaces_the_pair_before(stores: Stores) -> None:
    """The epoch and the generation rise, and the old pair stays encrypted in its own row until it is revoked."""
    exchange(stores)
    stores.connections.establish(establishment(), INSTALL_ID, NOON)
    exchange(stores, NEXT_ID)
    stores.connections.establish(establishment("commit-2"), NEXT_ID, NOON)
    assert stores.connection(establishment()) == replace(
        FIRST,
        epoch=2,
        generation=2,
        commit_id="commit-2",
        install_id=NEXT_ID,
        access_token=b"access of commit-2",
        refresh_token=b"refresh of commit-2",
        replaced={"commit-1": b"access of commit-1"},
    )


def test_no_replaced_pair_is_lost(stores: Stores) -> None:
    """A third install keeps both pairs that came before."""
    for number, install_id in enumerate(("A" * 22, "B" * 22, "C" * 22), start=1):
        exchange(stores, install_id)
        stores.connections.establish(establishment(f"commit-{number}"), install_id, NOON)
    seen = stores.connection(establishment())
    assert seen is not None
    assert seen.epoch == 3
    assert seen.replaced == {"commit-1": b"access of commit-1", "commit-2": b"access of commit-2"}


def test_establishing_the_same_again_is_the_same_commit(stores: Stores) -> None:
    """A commit whose answer was lost can be repeated, at once or later: one epoch, nothing replaced."""
    exchange(stores)
    for seconds in (0, 0, 5):
        stores.connections.establish(establishment(), INSTALL_ID, NOON + timedelta(seconds=seconds))
    assert stores.connection(establishment()) == FIRST


def test_only_an_exchange_establishes(stores: Stores) -> None:
    """A failed install makes no connection, and neither does one that there is not."""
    exchange(stores)
    stores.installs.fail(INSTALL_ID, "interrupted", None, NOON)
    for install_id in (INSTALL_ID, NEXT_ID):
        with pytest.raises(VersionConflictError):
            stores.connections.establish(establishment(), install_id, NOON)
    assert stores.connection(establishment()) is None


def test_another_commit_of_the_same_install_is_a_conflict(stores: Stores) -> None:
    """An install makes one connection, once."""
    exchange(stores)
    stores.connections.establish(establishment(), INSTALL_ID, NOON)
    with pytest.raises(VersionConflictError):
        stores.connections.establish(establishment("commit-2"), INSTALL_ID, NOON)
    assert stores.connection(establishment()) == FIRST


def test_confirming_makes_the_candidate_the_connection(stores: Stores) -> None:
    """The pair moves from the install to the connection, and nothing is due for revocation."""
    stores.connections.confirm(candidate(stores), NOON)
    assert stores.connection(establishment()) == replace(FIRST, user_reference=offered().user_reference)
    confirmed = stores.installs.find_candidate(INSTALL_ID)
    assert confirmed is not None
    assert confirmed.install.status is InstallStatus.CONNECTED
    assert confirmed.establishment is None
    assert list(stores.installs.due_for_revocation(NOON + timedelta(days=1))) == []


def test_confirming_the_same_again_is_the_same_commit(stores: Stores) -> None:
    """A confirmation whose answer was lost can be repeated."""
    waiting = candidate(stores)
    for _ in range(2):
        stores.connections.confirm(waiting, NOON)
    seen = stores.connection(establishment())
    assert seen is not None
    assert seen.epoch == 1


def test_an_open_install_over_an_invited_one_forgets_its_user(stores: Stores) -> None:
    """The row speaks of the install that made it, not of the one before."""
    stores.connections.confirm(candidate(stores), NOON)
    exchange(stores, NEXT_ID)
    unknown = replace(establishment("commit-2"), authorized_by=None)
    stores.connections.establish(unknown, NEXT_ID, NOON)
    seen = stores.connection(establishment())
    assert seen is not None
    assert seen.user_reference is None


def test_a_candidate_that_is_over_cannot_be_confirmed(stores: Stores) -> None:
    """At ten minutes sharp its time is over, though nobody has revoked it yet."""
    waiting = candidate(stores)
    with pytest.raises(VersionConflictError):
        stores.connections.confirm(waiting, NOON + CANDIDATE_LIFE)
    assert stores.connection(establishment()) is None


def test_an_abandoned_candidate_cannot_be_confirmed(stores: Stores) -> None:
    """Whoever leased it for revocation was first, even where the clocks disagree."""
    waiting = candidate(stores)
    assert stores.installs.lease_revocation(INSTALL_ID, NOON + CANDIDATE_LIFE) is not None
    with pytest.raises(VersionConflictError):
        stores.connections.confirm(waiting, NOON)
    assert stores.connection(establishment()) is None


@pytest.mark.parametrize(
    "difference", [{"handle_fingerprint": "another"}, {"user_reference": "user-8"}, {"install_id": NEXT_ID}]
)
def test_a_candidate_is_confirmed_only_as_it_is(stores: Stores, difference: dict[str, str]) -> None:
    """Another handle, user or install than the row's is refused by the write itself."""
    waiting = candidate(stores)
    changed = Candidate(replace(waiting.install, **difference), waiting.establishment)  # type: ignore[arg-type]  # each is a text
    with pytest.raises(VersionConflictError):
        stores.connections.confirm(changed, NOON)
    assert stores.connection(establishment()) is None


def test_another_pair_than_the_candidate_s_is_refused(stores: Stores) -> None:
    """The commit id binds the row to the pair that was read."""
    waiting = candidate(stores)
    with pytest.raises(VersionConflictError):
        stores.connections.confirm(Candidate(waiting.install, establishment("commit-2")), NOON)


def test_a_candidate_without_a_pair_cannot_be_confirmed(stores: Stores) -> None:
    """There is nothing to connect with."""
    waiting = candidate(stores)
    with pytest.raises(VersionConflictError):
        stores.connections.confirm(Candidate(waiting.install, None), NOON)
