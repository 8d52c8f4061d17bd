"""How one call of the API is answered: the limit, then the bearer, then the scope, then the work.

The rule: a route says what it needs and what it does; everything that can be refused before that is refused here.
"""

from collections.abc import Callable

from flask import Response, jsonify, request

from local.zendesk import pages, scopes
from local.zendesk.accounts import Account, NoSuchAccountError
from local.zendesk.limits import Allowance
from local.zendesk.standin import StandIn
from local.zendesk.tokens import TokenPair

_MARKETPLACE = "X-Zendesk-Marketplace-"

type Work = Callable[[Account, TokenPair], Response]


class ApiError(Exception):
    """An answer of the API that is no success."""

    def __init__(self, status: int, body: dict[str, object]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def serve(standin: StandIn, endpoint: str, scope: str | None, subdomain: str, work: Work) -> Response:
    """Check what has to be checked, do the work; or misbehave, if that is queued."""
    bearer = _bearer()
    call = standin.seen.api_call(subdomain, request.method, request.path, bearer)
    call.marketplace = {name: value for name, value in request.headers if name.startswith(_MARKETPLACE)}
    allowance = standin.limits.take(subdomain, standin.switches.requests_per_minute)

    def checked_work() -> Response:
        if allowance is not None and allowance.retry_after:
            return _too_many(allowance)
        try:
            account = standin.accounts.get(subdomain)
            return work(account, _authorized(standin, account, bearer, scope))
        except ApiError as error:
            return answered(error.body, error.status)
        except NoSuchAccountError:
            return pages.no_such_account()

    response = standin.answer(endpoint, subdomain, {}, checked_work)
    if allowance is not None:
        response.headers["X-Rate-Limit"] = str(allowance.limit)
        response.headers["X-Rate-Limit-Remaining"] = str(allowance.remaining)
    call.status = response.status_code
    return response


def answered(body: object, status: int = 200) -> Response:
    """Return a JSON answer."""
    response = jsonify(body)
    response.status_code = status
    return response


def forbidden(scope: str) -> ApiError:
    """Return the 403 that names a missing scope."""
    text = f"You are missing the following required scopes: {scope}"
    return ApiError(403, {"error": "Forbidden", "description": text})


def not_found() -> ApiError:
    """Return the 404 of what is not there."""
    return ApiError(404, {"error": "RecordNotFound", "description": "Not found"})


def _bearer() -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _authorized(standin: StandIn, account: Account, bearer: str, scope: str | None) -> TokenPair:
    pair = standin.tokens.find_by_access(bearer)
    if pair is None or pair.account is not account:
        raise ApiError(401, {"error": "Couldn't authenticate you"})
    if not standin.tokens.is_live(pair):
        text = "The access token provided is expired, revoked, malformed or invalid for other reasons."
        raise ApiError(401, {"error": "invalid_token", "error_description": text})
    if scope is not None and not scopes.covers(pair.scope, scope):
        raise forbidden(scope)
    return pair


def _too_many(allowance: Allowance) -> Response:
    text = "Number of allowed API requests per minute exceeded"  # no JSON, as others have seen it
    return Response(text, 429, content_type="text/plain", headers={"Retry-After": str(allowance.retry_after)})
