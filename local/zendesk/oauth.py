"""The routes of OAuth: the authorization page and the token endpoint.

The rule: what was asked is noted before anything else; what a grant decides is left to `authorization`.
"""

from collections.abc import Mapping
from typing import Any, cast

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest

from local.zendesk import pages
from local.zendesk.accounts import NoSuchAccountError
from local.zendesk.authorization import CodeGrant
from local.zendesk.oauth_requests import PageRequest, TokenRequest
from local.zendesk.standin import StandIn
from local.zendesk.wire import RawAnswer


def oauth(standin: StandIn) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("oauth", __name__, url_prefix="/<subdomain>/oauth")

    @routes.route("/authorizations/new", methods=["GET", "POST"])
    def authorize(subdomain: str) -> Response:
        standin.seen.authorization(subdomain, request.method, request.values.to_dict())
        page_request = PageRequest(request, standin.accounts.get(subdomain))
        try:
            grant: CodeGrant = standin.server.get_consent_grant(page_request)  # type: ignore[no-untyped-call]  # the stub has no types here
        except OAuth2Error as error:
            return _not_authorized(standin, page_request, error)
        except ValueError:  # Authlib does not quote a parameter with characters that RFC 6749 forbids
            return pages.refused("A parameter has characters that it cannot have.")
        return _decide(standin, grant, page_request)

    @routes.post("/tokens")
    def token(subdomain: str) -> Response:
        try:
            fields = _body_fields()
        except InvalidRequestError as error:
            standin.seen.token_post(subdomain, request.mimetype, {}).status = error.status_code
            return standin.server.handle_response(*error())
        post = standin.seen.token_post(subdomain, request.mimetype, fields)
        response = standin.answer("token", subdomain, fields, lambda: _token_work(standin, subdomain, fields))
        post.status = None if isinstance(response, RawAnswer) else response.status_code
        return response

    return routes


def _not_authorized(standin: StandIn, page_request: PageRequest, error: OAuth2Error) -> Response:
    if error.redirect_uri:
        return standin.server.handle_error_response(page_request, error)
    return pages.refused("The client is not known, or its redirect address is not registered.")


def _decide(standin: StandIn, grant: CodeGrant, page_request: PageRequest) -> Response:
    account = page_request.account
    person = account.people.get(request.args.get("person", ""))
    if person is None:
        return pages.sign_in(account, request.args)
    if request.method != "POST":
        return pages.consent(account, person, page_request.payload.client_id, page_request.scope)
    decision = request.form.get("decision")
    if decision not in {"allow", "deny"}:
        return pages.refused("The decision is neither Allow nor Deny.")
    page_request.user = person
    user = person if decision == "allow" else None
    response = standin.server.create_authorization_response(page_request, grant_user=user, grant=grant)
    return _with_issuer(cast("Response", response), standin.switches.iss)  # the stub says object


def _with_issuer(response: Response, iss: str | None) -> Response:
    """Name an issuer in the redirect (RFC 9207), if one is set: Zendesk's own, or a wrong one."""
    if iss is not None:
        response.location = add_params_to_uri(response.location, [("iss", iss)])
    return response


def _token_work(standin: StandIn, subdomain: str, fields: Mapping[str, str]) -> Response:
    try:
        account = standin.accounts.get(subdomain)
    except NoSuchAccountError:
        return pages.no_such_account()
    # Authlib takes plain HTTP from loopback alone, and a container calls this machine by another name.
    uri = f"{standin.address}{request.path}"
    return standin.server.token_response(TokenRequest(uri, fields, account))


def _body_fields() -> dict[str, str]:
    """Return the fields of a form or a JSON object; raises InvalidRequestError for anything else."""
    if request.mimetype == "application/json":
        return _json_fields()
    if any(len(values) > 1 for _, values in request.form.lists()):
        raise InvalidRequestError("A parameter is repeated")
    return request.form.to_dict()


def _json_fields() -> dict[str, str]:
    try:
        body: Any = request.get_json()
    except BadRequest as error:
        raise InvalidRequestError("The body is not JSON") from error
    if not isinstance(body, dict) or not all(type(value) in {str, int} for value in body.values()):
        raise InvalidRequestError("The body is not an object of texts and numbers")
    return {name: str(value) for name, value in body.items()}
