"""The adapters against a whole authorization server: the good way, and every misbehaviour in its catalogue."""

import time
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest

from local.zendesk import misbehaviours
from tests.adapters_at_standin.deployment import LIFETIMES, PATIENCE, SCOPES, Deployment, deadline
from tests.doubles.samples import ACME
from zendesk_oauth.errors import (
    ClientRejectedError,
    GrantRejectedError,
    ProviderError,
    ProviderUnavailableError,
    TokenRefusedError,
    UnintelligibleAnswerError,
    UnrecognisedErrorError,
)
from zendesk_oauth.models.tokens import AuthorizedUser, UnusableTokensError
from zendesk_oauth.services.revoke_token import Revocation, RevokeToken


def test_an_exchange_gives_what_was_asked_for(deployment: Deployment) -> None:
    """PKCE is verified at the other end, and both lifetimes and scopes come back as asked."""
    issued = deployment.allow()
    assert issued.scopes == SCOPES
    assert (issued.access_lifetime, issued.refresh_lifetime) == (LIFETIMES.access, LIFETIMES.refresh)
    assert deployment.zendesk.seen.count("authorization_code", "acme") == 1


@pytest.mark.parametrize("role", ["admin", "agent", "end-user"])
def test_whoever_pressed_allow_is_known(deployment: Deployment, role: str) -> None:
    """Any Zendesk user can press it, so the new token is asked."""
    user = deployment.api.who_authorized(ACME, deployment.allow(role).access_token, deadline())
    assert user == AuthorizedUser(user.user_id, role)


def test_a_token_is_revoked_by_its_id(deployment: Deployment) -> None:
    """Seen alive, deleted, seen dead, at the other end too."""
    token = deployment.allow().access_token
    revoke = RevokeToken(deployment.api)
    assert revoke(ACME, token, deadline()) is Revocation.REVOKED
    assert deployment.zendesk.alive("acme") == []
    assert revoke(ACME, token, deadline()) is Revocation.NOT_ALIVE
    with pytest.raises(TokenRefusedError):
        deployment.api.who_authorized(ACME, token, deadline())


def test_a_grant_that_may_not_delete_is_told_apart(deployment: Deployment) -> None:
    """The token lives on, and that is said."""
    token = deployment.allow().access_token
    deployment.zendesk.switches.refuse_delete = True
    assert RevokeToken(deployment.api)(ACME, token, deadline()) is Revocation.REFUSED


def test_a_wrong_secret_is_ours_to_mend(deployment: Deployment) -> None:
    """No connection is to blame, and the secret is read anew the next time."""
    deployment.client_secret.text = "of yesterday"
    with pytest.raises(ClientRejectedError):
        deployment.allow()
    assert deployment.client_secret.forgotten == 1


OUTCOMES: Mapping[str, type[ProviderError] | None] = MappingProxyType(
    {
        "answer": UnintelligibleAnswerError,
        "html": UnintelligibleAnswerError,
        "server_error": ProviderUnavailableError,
        "empty_object": UnintelligibleAnswerError,
        "gzip_bomb": UnintelligibleAnswerError,
        "no_content": UnintelligibleAnswerError,
        "redirect": UnintelligibleAnswerError,
        "too_many_requests": ProviderUnavailableError,
        "oauth_error": GrantRejectedError,
        "invalid_token": UnrecognisedErrorError,
        "forbidden": UnrecognisedErrorError,
        "null_token": UnintelligibleAnswerError,
        "no_refresh_token": UnusableTokensError,
        "token_type": UnusableTokensError,
        "fewer_scopes": None,
        "expires_in": None,
        "no_expires_in": None,
        "big_body": UnintelligibleAnswerError,
        "lost": ProviderUnavailableError,
        "cut_body": ProviderUnavailableError,
        "dripping_body": ProviderUnavailableError,
        "dripping_headers": ProviderUnavailableError,
        "late_answer": ProviderUnavailableError,
        "late_work": ProviderUnavailableError,
    }
)
"""What becomes of an exchange under each misbehaviour: an error, or (None) tokens all the same."""


OPTIONS: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "no_refresh_token": {"keeps_old": False},
        "late_answer": {"seconds": 3.0 * PATIENCE},
        "late_work": {"seconds": 3.0 * PATIENCE},
    }
)


def test_every_misbehaviour_has_an_outcome() -> None:
    """A new one in the stand-in wants a line here."""
    assert OUTCOMES.keys() == misbehaviours.KINDS.keys()


@pytest.mark.parametrize("kind", OUTCOMES)
def test_a_misbehaving_token_endpoint_gives_tokens_or_a_typed_error(
    deployment: Deployment, kind: str
) -> None:
    """In bounded time, after exactly one POST, and with nothing led elsewhere."""
    expected = OUTCOMES[kind]
    deployment.zendesk.misbehave(kind, times=None, **OPTIONS.get(kind, {}))
    begun = time.monotonic()
    if expected is None:
        issued = deployment.allow()
        assert timedelta(seconds=300) <= issued.access_lifetime <= LIFETIMES.access
    else:
        with pytest.raises(ProviderError) as raised:
            deployment.allow()
        assert type(raised.value) is expected
    assert time.monotonic() - begun < PATIENCE + 1.5
    assert deployment.zendesk.seen.count("authorization_code") == 1
    deployment.zendesk.release()
