"""Zendesk's redirect as a `Callback`, or the reason why it is none, before any store is asked.

Authlib's own reading of a redirect is not used: it checks neither `error` nor `state` and lets the last repeat win.
"""

import re
from collections.abc import Mapping

from zendesk_oauth.errors import (
    MalformedCallbackError,
    StateRejectedError,
    SubdomainRefusedError,
    UnrecognisedErrorError,
    server_error_code,
)
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.secret import OneUseSecret, Secret
from zendesk_oauth.models.subdomain import Subdomain, parse_subdomain
from zendesk_oauth.services.complete_install import ACCESS_DENIED, Allowed, Callback, Refused
from zendesk_oauth.web.cookies import Cookies, browser_secret
from zendesk_oauth.web.query import parse_query
from zendesk_oauth.web.request import Request

ERROR_CODES = frozenset(
    {
        "invalid_request",
        "unauthorized_client",
        ACCESS_DENIED,
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
    }
)
"""RFC 6749 section 4.1.2.1."""
UNRECOGNISED_ERROR = UnrecognisedErrorError.code
"""What any other code is recorded as, so that reasons stay a closed list."""
_PARAMETERS = frozenset({"code", "error", "iss", "state"})
"""RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207; any other is ignored (RFC 6749 section 3.1)."""
_CODE = re.compile(r"[\x20-\x7e]+")
_LABEL = "{subdomain}"


def callback_parameters(request: Request) -> Mapping[str, str]:
    """Return the parameters of a redirect that we know. Raises MalformedRequestError where one of them is broken."""
    return parse_query(request.unverified_query, _PARAMETERS)


def parse_callback(query: Mapping[str, str], cookies: Cookies, endpoints: Endpoints) -> Callback:
    """Return the callback.

    Raises MalformedCallbackError for what is no answer of an authorization server (RFC 6749 section 4.1.2), and
    StateRejectedError where this browser has no cookie of the install or `iss` names no account (RFC 9207).
    """
    answer = _answer(query)
    state = OneUseSecret.parse(query.get("state", ""))
    if state is None:
        raise MalformedCallbackError("state")
    return Callback(
        state=state,
        browser=browser_secret(cookies, state.install_id),
        answer=answer,
        issuer=_issuer(query.get("iss"), endpoints),
    )


def is_denial_without_state(query: Mapping[str, str]) -> bool:
    """Tell whether somebody said Deny and nothing shows at which install: `state` need not come back on a denial."""
    return query.get("error") == ACCESS_DENIED and "state" not in query and "code" not in query


def _answer(query: Mapping[str, str]) -> Allowed | Refused:
    code, error = query.get("code"), query.get("error")
    if (code is None) == (error is None):
        raise MalformedCallbackError("either code or error")
    if error is not None:
        if not error:
            raise MalformedCallbackError("error is empty")
        return (
            Refused(error) if error in ERROR_CODES else Refused(UNRECOGNISED_ERROR, server_error_code(error))
        )
    if code is None or not _CODE.fullmatch(code):
        raise MalformedCallbackError("code")
    return Allowed(Secret(code))


def _issuer(unverified_issuer: str | None, endpoints: Endpoints) -> Subdomain | None:
    if unverified_issuer is None:
        return None
    before, _, after = endpoints.zendesk_base_url.partition(_LABEL)
    try:
        subdomain = parse_subdomain(unverified_issuer.removeprefix(before).removesuffix(after))
    except SubdomainRefusedError:
        raise StateRejectedError("iss is no account") from None
    if endpoints.account(subdomain) != unverified_issuer:
        raise StateRejectedError("iss is no account")
    return subdomain
