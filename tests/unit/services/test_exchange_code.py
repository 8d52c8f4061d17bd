from datetime import timedelta

import pytest

from tests.doubles.in_memory_stores import Fault
from tests.doubles.samples import ACME
from tests.doubles.scripted import issued
from tests.unit.services.world import CODE, World
from zendesk_oauth.errors import (
    ClientRejectedError,
    ConfigurationError,
    GrantRejectedError,
    KeyUnavailableError,
    ProviderUnavailableError,
    SecretUnavailableError,
    StoreError,
    StoreUnavailableError,
    TokenRefusedError,
    UnintelligibleAnswerError,
    UnrecognisedErrorError,
    WrongRoleError,
    ZendeskOAuthError,
)
from zendesk_oauth.models.install import CANDIDATE_LIFE, InstallStatus, StartMode
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import AuthorizedUser, SealContext, UnusableTokensError
from zendesk_oauth.ports import CodeExchange
from zendesk_oauth.services.revoke_leftovers import GIVEN_UP

LATER = timedelta(days=1)


def test_the_code_is_posted_with_its_verifier_and_scopes(world: World) -> None:
    """To the account of the record, once."""
    started = world.started()
    world.allow(started)
    assert world.zendesk.exchanges == [
        CodeExchange(ACME, CODE, started.binding.code_verifier, started.install.scopes)
    ]


def test_keys_are_in_hand_before_the_code_is_spent(world: World) -> None:
    """Without them nothing is posted: the answer could not be kept."""
    world.sealer.error = KeyUnavailableError("throttled")
    install = world.allow(world.started()).install
    assert (install.status, install.reason) == (InstallStatus.FAILED, "key_unavailable")
    assert world.zendesk.asked == []


def test_the_pair_is_sealed_for_its_place(world: World) -> None:
    """The row holds what only the opener can read, at the place that it was sealed for."""
    world.allow(world.started())
    assert world.sealer.prepared == [SealContext("default", ACME)]
    row = world.connections.rows["default#acme"]
    sealed = row.establishment.sealed
    opened = world.sealer.open_access_token(
        sealed.access_token, SealContext("default", ACME), sealed.commit_id
    )
    assert opened == issued().access_token
    assert len(sealed.commit_id) == 22


def test_what_was_not_granted_is_noted(world: World) -> None:
    """Zendesk drops unknown scopes without a word; the connection is made all the same."""
    world.zendesk.answer = issued(scopes=("users:read",))
    install = world.allow(world.started()).install
    assert (install.status, install.missing_scopes) == (InstallStatus.CONNECTED, ("tickets:read",))
    establishment = world.connections.rows["default#acme"].establishment
    assert establishment.scopes == ("users:read",)
    assert establishment.authorized_by == AuthorizedUser(7, "admin")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (GrantRejectedError("invalid_grant"), "grant_rejected"),
        (ClientRejectedError("invalid_client"), "client_rejected"),
        (ProviderUnavailableError("HTTP 503"), "answer_lost"),
        (ProviderUnavailableError("HTTP 429", throttled=True), "provider_unavailable"),
        (ProviderUnavailableError("no route", nothing_sent=True), "provider_unavailable"),
        (UnintelligibleAnswerError("HTML"), "answer_lost"),
        (UnintelligibleAnswerError("HTTP 200 without a JSON object", status=200), "answer_lost"),
        (UnintelligibleAnswerError("HTTP 404 without a JSON object", status=404), "unintelligible_answer"),
        (UnrecognisedErrorError("something_else"), "unrecognised_error"),
        (SecretUnavailableError("throttled"), "secret_unavailable"),
        (ConfigurationError(("no secret",)), "configuration"),
    ],
)
def test_a_failed_exchange_is_an_outcome(world: World, error: ZendeskOAuthError, reason: str) -> None:
    """With the reason's code, one more write, and no connection touched; a pair that may have been issued is told."""
    world.zendesk.answer = error
    started = world.started()
    world.installs.calls.clear()
    install = world.allow(started).install
    assert (install.status, install.reason) == (InstallStatus.FAILED, reason)
    assert world.installs.calls == ["consume", "fail"]
    assert world.connections.calls == []


def test_a_living_token_that_cannot_be_kept_is_revoked(world: World) -> None:
    """Half an answer makes no connection, and leaves nothing alive either."""
    world.zendesk.alive.add("half")
    world.zendesk.answer = UnusableTokensError("no refresh token", Secret("half"))
    install = world.allow(world.started()).install
    assert (install.status, install.reason) == (InstallStatus.FAILED, "unusable_tokens")
    assert world.zendesk.alive == set()
    assert list(world.installs.due_for_revocation(world.clock.now() + LATER)) == []


@pytest.mark.parametrize("problem", ["refused", "lives on", "unreachable"])
def test_half_an_answer_that_could_not_be_revoked_is_kept_for_later(world: World, problem: str) -> None:
    """The access token may live without an end, and there is no other trace of it: sealed, and due in a minute."""
    world.zendesk.alive.add("half")
    world.zendesk.answer = UnusableTokensError("no refresh token", Secret("half"))
    world.zendesk.deletion = TokenRefusedError("HTTP 403", status=403) if problem == "refused" else None
    world.zendesk.deletion_works = problem != "lives on"
    world.zendesk.find_error = ProviderUnavailableError("HTTP 503") if problem == "unreachable" else None
    install = world.allow(world.started()).install
    assert (install.status, install.reason) == (InstallStatus.FAILED, "unusable_tokens")
    world.zendesk.deletion, world.zendesk.deletion_works, world.zendesk.find_error = None, True, None
    world.clock.advance(LATER)
    (ended,) = world.revoke_leftovers(world.clock.monotonic() + 50.0)
    assert (ended.install_id, ended.outcome, world.zendesk.alive) == (install.install_id, "revoked", set())


def test_half_an_answer_is_kept_as_long_as_it_says(world: World) -> None:
    """A token of five minutes that could not be revoked in time is reported, and not called dead when it expires."""
    world.zendesk.answer = UnusableTokensError("not of a bearer", Secret("half"), None, timedelta(minutes=5))
    world.zendesk.find_error = ProviderUnavailableError("HTTP 503")
    install = world.allow(world.started()).install
    world.zendesk.find_error = None
    world.clock.advance(timedelta(minutes=6))
    (ended,) = world.revoke_leftovers(world.clock.monotonic() + 50.0)
    assert (ended.install_id, ended.outcome) == (install.install_id, GIVEN_UP)


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (AuthorizedUser(8, "end-user"), "wrong_role"),
        (AuthorizedUser(8, "agent"), "wrong_role"),
        (WrongRoleError("anonymous"), "wrong_role"),
        (TokenRefusedError("HTTP 403", status=403), "token_refused"),
        (ProviderUnavailableError("HTTP 503"), "provider_unavailable"),
    ],
)
def test_a_token_of_the_wrong_person_is_revoked(
    world: World, user: AuthorizedUser | Exception, reason: str
) -> None:
    """The connection that was there is untouched, and nothing of the new token lives on."""
    world.allow(world.started())
    before = world.connections.rows["default#acme"]
    world.zendesk.answer = issued("stranger's", "stranger's refresh")
    world.zendesk.user = user
    install = world.allow(world.started()).install
    assert (install.status, install.reason) == (InstallStatus.FAILED, reason)
    assert world.zendesk.alive == {"access-1"}
    assert world.connections.rows["default#acme"] is before
    assert list(world.installs.due_for_revocation(world.clock.now() + LATER)) == []


@pytest.mark.parametrize("problem", ["refused", "lives on", "unreachable"])
def test_a_token_that_could_not_be_revoked_is_kept_for_later(world: World, problem: str) -> None:
    """Sealed, and due in a minute."""
    world.zendesk.user = AuthorizedUser(8, "agent")
    if problem == "refused":
        world.zendesk.deletion = TokenRefusedError("HTTP 403", status=403)
    elif problem == "lives on":
        world.zendesk.deletion_works = False
    else:
        world.zendesk.find_error = ProviderUnavailableError("HTTP 503")
    install = world.allow(world.started()).install
    assert install.reason == "wrong_role"
    now = world.clock.now()
    assert list(world.installs.due_for_revocation(now)) == []
    assert list(world.installs.due_for_revocation(now + timedelta(seconds=60))) == [install.install_id]


def test_a_commit_without_an_answer_that_was_not_made_is_a_failure(world: World) -> None:
    """The failure could be written, so the commit cannot have been: the pair is due for revocation."""
    world.connections.faults["establish"] = [Fault.REFUSED]
    install = world.allow(world.started()).install
    assert (install.status, install.reason) == (InstallStatus.FAILED, "store_unavailable")
    assert world.connections.rows == {}
    due = list(world.installs.due_for_revocation(world.clock.now() + timedelta(seconds=60)))
    assert due == [install.install_id]


def test_a_commit_without_an_answer_that_was_made_is_a_success(world: World) -> None:
    """The failure cannot be written over it, and the person sees the connection."""
    world.connections.faults["establish"] = [Fault.LOST]
    install = world.allow(world.started()).install
    assert install.status is InstallStatus.CONNECTED
    assert world.connections.rows["default#acme"].epoch == 1
    assert world.zendesk.alive == {"access-1"}


def test_a_candidate_without_an_answer_that_was_made_is_a_success(world: World) -> None:
    """The same for an invited install."""
    world.mode = StartMode.CONFIRMED
    world.installs.faults["keep_candidate"] = [Fault.LOST]
    completion = world.allow(world.started())
    assert completion.install.status is InstallStatus.CANDIDATE
    assert completion.handle is not None


def test_a_store_that_stays_down_leaves_nothing_alive(world: World) -> None:
    """Neither commit nor failure could be written: the token is revoked, and the caller told."""
    world.connections.faults["establish"] = [Fault.REFUSED]
    world.installs.faults["fail"] = [Fault.REFUSED]
    with pytest.raises(StoreUnavailableError):
        world.allow(world.started())
    assert world.zendesk.alive == set()


def test_a_conflict_revokes_the_fresh_token(world: World) -> None:
    """Somebody else ended the install while its code was being exchanged."""
    started = world.started()

    def interrupt() -> None:
        world.installs.fail(started.install.install_id, "interrupted", None, world.clock.now())

    world.zendesk.on_exchange = interrupt
    install = world.allow(started).install
    assert (install.status, install.reason) == (InstallStatus.FAILED, "interrupted")
    assert world.zendesk.alive == set()
    assert world.connections.rows == {}


def test_a_fault_of_the_set_up_at_the_commit_revokes_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that refuses for good keeps nothing."""

    def refuse(*_: object) -> None:
        raise StoreError("AccessDeniedException")

    monkeypatch.setattr(type(world.connections), "establish", refuse)
    install = world.allow(world.started()).install
    assert (install.status, install.reason) == (InstallStatus.FAILED, "store")
    assert world.zendesk.alive == set()


def test_a_bug_revokes_is_recorded_and_goes_on(world: World) -> None:
    """What nobody foresaw is not swallowed, and leaves nothing alive either."""
    world.zendesk.user = ZeroDivisionError()
    started = world.started()
    with pytest.raises(ZeroDivisionError):
        world.allow(started)
    assert world.zendesk.alive == set()
    row = world.installs.rows[started.install.install_id].install
    assert (row.status, row.reason) == (InstallStatus.FAILED, "internal")


def test_a_failure_whose_row_is_gone_is_shown_all_the_same(world: World) -> None:
    """DynamoDB may have removed it; the person still learns how it ended."""
    started = world.started()
    world.zendesk.answer = GrantRejectedError("invalid_grant")
    world.zendesk.on_exchange = world.installs.rows.clear
    install = world.allow(started).install
    assert (install.status, install.reason) == (InstallStatus.FAILED, "grant_rejected")


def test_a_candidate_has_ten_minutes(world: World) -> None:
    """What the browser is shown is what the row says."""
    completion, handle = world.candidate()
    assert completion.install.expires_at == world.clock.now() + CANDIDATE_LIFE
    row = world.installs.rows[completion.install.install_id]
    assert row.install == completion.install
    assert row.install.handle_fingerprint == handle.fingerprint
    assert row.establishment is not None
    assert row.establishment.user_reference == "user-7"
