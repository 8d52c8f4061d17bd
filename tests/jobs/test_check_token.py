"""What Zendesk's answers say of a token that somebody has, where two of them do not agree."""

import pytest

from cli.jobs.check_token import CheckToken
from cli.jobs.import_line import Line
from cli.jobs.polite_accounts import PoliteAccounts
from tests.doubles.samples import ACME
from tests.jobs.doubles import Clock
from zendesk_oauth.errors import TokenRefusedError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, LivingToken

LINE = Line(1, "default", ACME, Secret("a" * 64), Secret("r" * 64))


class Answers:
    """The port `TokenApi`, which answers each question as it is told."""

    def __init__(self, token: LivingToken | Exception | None, user: AuthorizedUser | Exception) -> None:
        self.token, self.user = token, user

    def find_token(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> LivingToken | None:
        """Answer the first."""
        assert (subdomain, deadline > 0, bool(access_token)) == (ACME, True, True)
        if isinstance(self.token, Exception):
            raise self.token
        return self.token

    def who_authorized(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> AuthorizedUser:
        """Answer the second."""
        assert (subdomain, deadline > 0, bool(access_token)) == (ACME, True, True)
        if isinstance(self.user, Exception):
            raise self.user
        return self.user


ADMIN = AuthorizedUser(7, "admin")
ALIVE = LivingToken(9, ("read",), None)


@pytest.mark.parametrize(
    ("token", "user"),
    [
        (None, ADMIN),
        (TokenRefusedError("HTTP 401", status=401), ADMIN),
        (ALIVE, TokenRefusedError("HTTP 401", status=401)),
    ],
)
def test_a_401_at_either_question_is_a_token_that_does_not_live(
    token: LivingToken | Exception | None, user: AuthorizedUser | Exception
) -> None:
    """It may have died between the two."""
    clock = Clock()
    assert CheckToken(Answers(token, user), PoliteAccounts(clock), clock, {"admin"})(LINE) is None


def test_a_403_at_the_second_is_the_callers_to_judge() -> None:
    """The token lives, and may not say whose it is."""
    clock = Clock()
    forbidden = TokenRefusedError("HTTP 403", status=403)
    with pytest.raises(TokenRefusedError):
        CheckToken(Answers(ALIVE, forbidden), PoliteAccounts(clock), clock, {"admin"})(LINE)
