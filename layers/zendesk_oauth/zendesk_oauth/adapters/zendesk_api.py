"""The API calls that judge a token: whose it is, whether it lives and what it may, and its end.

Source: Zendesk's API reference, "Users" and "OAuth tokens". An anonymous user is answered with 200 and a null id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from zendesk_oauth.adapters.https_connection import HttpAnswer, HttpRequest, send
from zendesk_oauth.adapters.zendesk_answers import api_object, is_token_refused, refuse_api_error
from zendesk_oauth.errors import UnintelligibleAnswerError, WrongRoleError
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, LivingToken
from zendesk_oauth.ports import Clock

_ME = "/api/v2/users/me.json"
_CURRENT_TOKEN = "/api/v2/oauth/tokens/current.json"  # noqa: S105 - a path
_LONGEST_ROLE = 64


@dataclass(frozen=True, slots=True)
class ZendeskHttpApi:
    """The port `ZendeskApi`: one request a method, never repeated, never redirected."""

    endpoints: Endpoints
    clock: Clock

    def who_authorized(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> AuthorizedUser:
        """Return whose token this is. Raises WrongRoleError where the id is null or the role missing."""
        answer = self._ask("GET", self._url(subdomain, _ME), access_token, deadline)
        user = _member(api_object(answer, self.clock.now()), "user")
        user_id, role = user.get("id"), user.get("role")
        if user_id is None or role is None:
            raise WrongRoleError("an anonymous user")
        if not isinstance(role, str) or not role.isprintable() or len(role) > _LONGEST_ROLE:
            raise UnintelligibleAnswerError("a role that is no name")
        return AuthorizedUser(_id(user_id), role)

    def find_token_id(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> int | None:
        """Return the id of the living token; None: it is not alive (a 401 of the API's own)."""
        token = self.find_token(subdomain, access_token, deadline)
        return token.token_id if token else None

    def find_token(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> LivingToken | None:
        """Return what Zendesk says of the living token; None: it is not alive (a 401 of the API's own)."""
        answer = self._ask("GET", self._url(subdomain, _CURRENT_TOKEN), access_token, deadline)
        if is_token_refused(answer, HTTPStatus.UNAUTHORIZED):
            return None
        token = _member(api_object(answer, self.clock.now()), "token")
        return LivingToken(
            _id(token.get("id")), _scopes(token.get("scopes")), _instant(token.get("expires_at"))
        )

    def delete_token(
        self, subdomain: Subdomain, token_id: int, access_token: Secret, deadline: float
    ) -> None:
        """Delete by id; one that is gone already (404) counts as deleted. Raises TokenRefusedError for 401 and 403."""
        url = self._url(subdomain, f"/api/v2/oauth/tokens/{token_id}.json")
        answer = self._ask("DELETE", url, access_token, deadline)
        if answer.status != HTTPStatus.NOT_FOUND:
            refuse_api_error(answer, self.clock.now())

    def _url(self, subdomain: Subdomain, path: str) -> str:
        return f"{self.endpoints.account(subdomain)}{path}"

    def _ask(self, method: str, url: str, access_token: Secret, deadline: float) -> HttpAnswer:
        headers = {"Authorization": f"Bearer {access_token.reveal()}"}
        return send(HttpRequest(method, url, headers), deadline, self.clock)


def _member(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    member = content.get(name)
    if not isinstance(member, dict):
        raise UnintelligibleAnswerError(f"an answer without {name}")
    return member


def _id(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise UnintelligibleAnswerError("an id that is no number")
    return value


def _scopes(value: object) -> Scopes | None:
    """Return the names of a list of texts; of anything else nothing is known."""
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        return None
    return tuple(dict.fromkeys(value))


def _instant(value: object) -> datetime | None:
    """Return an instant with its offset; anything else says nothing."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return instant if instant and instant.tzinfo else None
