"""What an operator asks: whether a token lives, and whether secret, client and key are as they should be."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.doubles.scripted import CountingEntropy, ScriptedClientSecret, ScriptedClock, ScriptedSealer
from tests.unit.services.test_refreshing import ACME, World
from zendesk_oauth.errors import (
    ConfigurationError,
    KeyUnavailableError,
    ProviderUnavailableError,
    SealBrokenError,
    SecretUnavailableError,
    TokenRefusedError,
    UnintelligibleAnswerError,
    WrongRoleError,
    ZendeskOAuthError,
)
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.inquiry import Examination, ProbeAnswer, ProbeOutcome
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, LivingToken, SealContext
from zendesk_oauth.ports.refresh import RefreshGrant
from zendesk_oauth.services.examine_deployment import ExamineDeployment
from zendesk_oauth.services.probe_connection import ProbeConnection

SCOPES = ("users:read", "tickets:read")
UNTIL = datetime(2027, 1, 6, 12, tzinfo=UTC)
ADMIN = AuthorizedUser(4711, "admin")
LIVING = LivingToken(9, SCOPES, UNTIL)


@dataclass
class Api:
    """Says of a token what the test says, and keeps what was asked."""

    token: LivingToken | Exception | None = LIVING
    user: AuthorizedUser | Exception = ADMIN
    asked: list[tuple[str, str]] = field(default_factory=list)

    def find_token(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> LivingToken | None:
        """Return what is said of it."""
        assert deadline > 0
        self.asked.append((subdomain, access_token.reveal()))
        if isinstance(self.token, Exception):
            raise self.token
        return self.token

    def who_authorized(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> AuthorizedUser:
        """Return whose it is."""
        assert deadline > 0
        self.asked.append((subdomain, access_token.reveal()))
        if isinstance(self.user, Exception):
            raise self.user
        return self.user


@dataclass
class Probing:
    """A connection whose token is put to Zendesk."""

    world: World = field(default_factory=World)
    opener: ScriptedSealer = field(default_factory=ScriptedSealer)
    api: Api = field(default_factory=Api)

    def __post_init__(self) -> None:
        """Seal the pair as the opener opens it."""
        row = self.world.row
        keys = self.opener.prepare(row.context)
        self.world.change(sealed=keys.seal(Secret("a1"), Secret("r1"), "commit-1"))

    def __call__(self, grant: str = "default") -> ProbeAnswer:
        """Probe it."""
        ports = self.world.ports
        before = replace(self.world.row)
        answer = ProbeConnection(ports.store, self.opener, self.api, ports.clock)(grant, ACME)
        assert self.world.row == before
        assert self.world.zendesk.posts == 0
        return answer


@pytest.fixture
def probing() -> Probing:
    """Return one that is active, an hour after it was made."""
    return Probing()


def test_a_living_token_says_what_it_may_and_whose_it_is(probing: Probing) -> None:
    """As Zendesk says it; the row is not written, and nothing is spent."""
    answer = probing()
    assert answer == ProbeAnswer(ProbeOutcome.ALIVE, probing.world.row, SCOPES, UNTIL, ADMIN)
    assert probing.api.asked == [("acme", "a1")] * 2


@pytest.mark.parametrize(
    ("left", "outcome"),
    [
        (timedelta(hours=1), ProbeOutcome.DEAD),
        (timedelta(minutes=10, seconds=1), ProbeOutcome.DEAD),
        (timedelta(minutes=10), ProbeOutcome.OVER),
        (-timedelta(hours=1), ProbeOutcome.OVER),
    ],
)
def test_a_401_is_judged_by_the_time_that_was_left(
    probing: Probing, left: timedelta, outcome: ProbeOutcome
) -> None:
    """Near its own end a dead token is simply over; before that somebody has ended it. Whose it was is not asked."""
    times = replace(probing.world.row.times, expires_at=probing.world.clock.now() + left)
    probing.world.change(times=times)
    probing.api.token = None
    answer = probing()
    assert (answer.outcome, answer.scopes, answer.user, answer.cause) == (outcome, None, None, None)
    assert len(probing.api.asked) == 1


def test_a_token_that_may_not_ask_lives(probing: Probing) -> None:
    """A 403 is no 401: what it may is not known, whose it is may be."""
    probing.api.token = TokenRefusedError("HTTP 403", status=403)
    answer = probing()
    assert (answer.outcome, answer.scopes, answer.user) == (ProbeOutcome.ALIVE, None, ADMIN)


@pytest.mark.parametrize(
    "error",
    [
        TokenRefusedError("HTTP 403", status=403),
        WrongRoleError("anonymous"),
        ProviderUnavailableError("HTTP 503"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_living_token_whose_owner_is_not_known(probing: Probing, error: ZendeskOAuthError) -> None:
    """It lives all the same; the cause says why no more is known."""
    probing.api.user = error
    answer = probing()
    assert (answer.outcome, answer.scopes, answer.user, answer.cause) == (
        ProbeOutcome.ALIVE,
        SCOPES,
        None,
        error.code,
    )


@pytest.mark.parametrize(
    "error",
    [ProviderUnavailableError("HTTP 503"), UnintelligibleAnswerError("HTML")],
    ids=lambda error: type(error).__name__,
)
def test_where_zendesk_says_nothing_nothing_is_known(probing: Probing, error: ZendeskOAuthError) -> None:
    """And it is not asked a second time."""
    probing.api.token = error
    answer = probing()
    assert (answer.outcome, answer.cause, len(probing.api.asked)) == (ProbeOutcome.UNKNOWN, error.code, 1)


@pytest.mark.parametrize("error", [KeyUnavailableError("denied"), SealBrokenError("another place")])
def test_a_token_that_does_not_open_is_not_known(probing: Probing, error: ZendeskOAuthError) -> None:
    """Zendesk is not asked at all."""
    probing.opener.error = error
    answer = probing()
    assert (answer.outcome, answer.cause, probing.api.asked) == (ProbeOutcome.UNKNOWN, error.code, [])


def test_a_connection_that_was_given_up_can_be_probed(probing: Probing) -> None:
    """Its pair lies in the row until somebody connects again."""
    probing.world.change(status=ConnectionStatus.RECONNECT_REQUIRED)
    answer = probing()
    assert answer.outcome is ProbeOutcome.ALIVE
    assert answer.connection
    assert answer.connection.status is ConnectionStatus.RECONNECT_REQUIRED


def test_where_there_is_no_token_there_is_nothing_to_ask_with(probing: Probing) -> None:
    """Of a grant that was never connected, and of a connection that was erased."""
    assert probing("reporting") == ProbeAnswer(ProbeOutcome.NOT_CONNECTED)
    probing.world.change(status=ConnectionStatus.DISCONNECTED, sealed=None)
    assert probing() == ProbeAnswer(ProbeOutcome.NOT_CONNECTED, probing.world.row)
    assert probing.api.asked == []


# -- the deployment --


class Secrets(ScriptedClientSecret):
    """A client secret that may not be readable."""

    error: ZendeskOAuthError | None = None

    def __call__(self) -> Secret:
        """Return it, or fail as scripted."""
        if self.error:
            raise self.error
        return super().__call__()


@dataclass
class Endpoint:
    """Zendesk's token endpoint, which knows our client or not."""

    known: bool | Exception = True
    asked: list[RefreshGrant] = field(default_factory=list)

    def knows_client(self, grant: RefreshGrant, deadline: float) -> bool:
        """Return what the test says."""
        assert deadline > 0
        self.asked.append(grant)
        if isinstance(self.known, Exception):
            raise self.known
        return self.known


@dataclass
class Key:
    """The token key."""

    error: ZendeskOAuthError | None = None
    tried: list[SealContext] = field(default_factory=list)

    def try_key(self, context: SealContext) -> None:
        """Fail as scripted."""
        self.tried.append(context)
        if self.error:
            raise self.error


@dataclass
class Examining:
    """A deployment that is looked at."""

    secret: Secrets = field(default_factory=Secrets)
    endpoint: Endpoint = field(default_factory=Endpoint)
    key: Key = field(default_factory=Key)

    def __call__(self) -> Examination:
        """Look at it."""
        return ExamineDeployment(self.secret, self.endpoint, self.key, ScriptedClock(), CountingEntropy())(
            ACME
        )


@pytest.fixture
def examining() -> Examining:
    """Return one in which all is as it should be."""
    return Examining()


def test_all_that_is_as_it_should_be_is_ok(examining: Examining) -> None:
    """The secret is read anew, one token that nobody has issued is posted, and the key is tried for that account."""
    assert examining() == Examination("ok", "ok", "ok")
    assert (examining.secret.forgotten, examining.secret.reads) == (1, 1)
    (asked,) = examining.endpoint.asked
    assert (asked.subdomain, asked.scopes) == ("acme", ())
    assert len(asked.refresh_token.reveal()) == 43
    assert examining.key.tried == [SealContext("examine", ACME)]


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (False, "client_rejected"),
        (ProviderUnavailableError("HTTP 503"), "provider_unavailable"),
        (UnintelligibleAnswerError("HTML"), "unintelligible_answer"),
    ],
    ids=str,
)
def test_a_client_that_zendesk_does_not_know(
    examining: Examining, *, known: bool | Exception, said: str
) -> None:
    """Or of which it does not say; the key is looked at all the same."""
    examining.endpoint.known = known
    assert examining() == Examination("ok", said, "ok")


@pytest.mark.parametrize(
    "error", [ConfigurationError(("no such secret",)), SecretUnavailableError("throttled")], ids=str
)
def test_without_a_secret_zendesk_is_not_asked(examining: Examining, error: ZendeskOAuthError) -> None:
    """There is nothing to ask with; what is wrong with the secret itself is told beside the code."""
    examining.secret.error = error
    problem = str(error) if isinstance(error, ConfigurationError) else None
    assert examining() == Examination(error.code, None, "ok", problem)
    assert examining.endpoint.asked == []


def test_a_key_that_cannot_be_used(examining: Examining) -> None:
    """By its error's code."""
    examining.key.error = KeyUnavailableError("denied")
    found = examining()
    assert (found, found.is_ok) == (Examination("ok", "ok", "key_unavailable"), False)
