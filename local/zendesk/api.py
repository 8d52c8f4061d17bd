"""A little of Zendesk's API: users/me, tickets, and a token's own entry.

The rule: the bearer is checked before the scope, the scope before the work; errors read as Zendesk's own.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from local.zendesk import pages, scopes
from local.zendesk.accounts import Account, NoSuchAccountError
from local.zendesk.standin import StandIn
from local.zendesk.tokens import TokenPair


class ApiError(Exception):
    """An answer of the API that is no success."""

    def __init__(self, status: int, body: dict[str, object]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


type Work = Callable[[Account, TokenPair], Response]


def api(standin: StandIn) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("api", __name__, url_prefix="/<subdomain>/api/v2")

    @routes.get("/users/me.json")
    def users_me(subdomain: str) -> Response:
        return _serve(standin, "users_me", "users:read", subdomain, lambda _, pair: _user(standin, pair))

    @routes.get("/oauth/tokens/current.json")
    def current_token(subdomain: str) -> Response:
        return _serve(standin, "current_token", None, subdomain, lambda _, pair: _current(standin, pair))

    @routes.delete("/oauth/tokens/<name>.json")
    def delete_token(subdomain: str, name: str) -> Response:
        return _serve(
            standin, "delete_token", None, subdomain, lambda account, _: _delete(standin, account, name)
        )

    _add_ticket_routes(routes, standin)
    return routes


def _add_ticket_routes(routes: Blueprint, standin: StandIn) -> None:
    """Add what there is of tickets and their comments."""

    def read(subdomain: str, work: Work) -> Response:
        return _serve(standin, "tickets", "tickets:read", subdomain, work)

    def write(subdomain: str, work: Work) -> Response:
        return _serve(standin, "tickets", "tickets:write", subdomain, work)

    @routes.get("/tickets.json")
    def tickets(subdomain: str) -> Response:
        return read(subdomain, _list_tickets)

    @routes.post("/tickets.json")
    def add_ticket(subdomain: str) -> Response:
        return write(subdomain, lambda account, _: _add_ticket(standin, account))

    @routes.get("/tickets/<int:number>.json")
    def ticket(subdomain: str, number: int) -> Response:
        return read(subdomain, lambda account, _: _ticket(account, number))

    @routes.put("/tickets/<int:number>.json")
    def change_ticket(subdomain: str, number: int) -> Response:
        return write(subdomain, lambda account, _: _change(standin, account, number))

    @routes.get("/tickets/<int:number>/comments.json")
    def comments(subdomain: str, number: int) -> Response:
        return read(subdomain, lambda account, _: _comments(account, number))


def _serve(standin: StandIn, endpoint: str, scope: str | None, subdomain: str, work: Work) -> Response:
    """Check the bearer and the scope, do the work; or misbehave, if that is queued."""
    bearer = _bearer()
    call = standin.seen.api_call(subdomain, request.method, request.path, bearer)

    def checked_work() -> Response:
        try:
            account = standin.accounts.get(subdomain)
            return work(account, _authorized(standin, account, bearer, scope))
        except ApiError as error:
            return _json(error.body, error.status)
        except NoSuchAccountError:
            return pages.no_such_account()

    response = standin.answer(endpoint, subdomain, {}, checked_work)
    call.status = response.status_code
    return response


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
        raise _forbidden(scope)
    return pair


def _forbidden(scope: str) -> ApiError:
    text = f"You are missing the following required scopes: {scope}"
    return ApiError(403, {"error": "Forbidden", "description": text})


def _json(body: object, status: int = 200) -> Response:
    response = jsonify(body)
    response.status_code = status
    return response


def _user(standin: StandIn, pair: TokenPair) -> Response:
    if standin.switches.anonymous:
        return _json({"user": {"id": None, "name": "Anonymous user", "role": "end-user"}})
    person = pair.person
    role = standin.switches.role or person.role
    return _json({"user": {"id": person.id, "name": person.name, "email": person.email, "role": role}})


def _list_tickets(account: Account, pair: TokenPair) -> Response:
    del pair
    found = list(account.tickets.values())
    return _json({"tickets": found, "next_page": None, "previous_page": None, "count": len(found)})


def _found(account: Account, number: int) -> dict[str, object]:
    if number not in account.tickets:
        raise ApiError(404, {"error": "RecordNotFound", "description": "Not found"})
    return account.tickets[number]


def _ticket(account: Account, number: int) -> Response:
    return _json({"ticket": _found(account, number)})


def _comments(account: Account, number: int) -> Response:
    """Show the comments, oldest first unless `sort` is `-created_at`; as many as `page[size]` says."""
    _found(account, number)
    found = account.comments[number]
    if request.args.get("sort") == "-created_at":
        found = found[::-1]
    size = request.args.get("page[size]", 100, type=int)
    return _json({"comments": found[:size], "meta": {"has_more": len(found) > size}})


def _sent_ticket() -> dict[str, Any]:
    """Return the ticket in the body."""
    body = request.get_json(silent=True)
    ticket = body.get("ticket") if isinstance(body, dict) else None
    if not isinstance(ticket, dict):
        raise _invalid()
    return ticket


def _sent_comment(ticket: dict[str, Any]) -> tuple[str, bool]:
    """Return the body of the ticket's comment, empty where there is none, and whether it is public."""
    comment = ticket.get("comment")
    if not isinstance(comment, dict):
        return "", True
    return str(comment.get("body", "")), comment.get("public") is not False


def _invalid() -> ApiError:
    return ApiError(422, {"error": "RecordInvalid", "description": "Record validation errors"})


def _add_ticket(standin: StandIn, account: Account) -> Response:
    sent = _sent_ticket()
    body, _ = _sent_comment(sent)
    ticket = account.add_ticket(str(sent.get("subject", "")), body, _iso(standin.clock()))
    return _json({"ticket": ticket}, 201)


def _change(standin: StandIn, account: Account, number: int) -> Response:
    """Add the comment. A closed ticket takes none, nor one that changed since the stamp of a safe update."""
    ticket, sent = _found(account, number), _sent_ticket()
    if ticket["status"] == "closed":
        raise _invalid()
    if sent.get("safe_update") and sent.get("updated_stamp") != ticket["updated_at"]:
        text = "Safe Update prevented the update due to outdated ticket data."
        raise ApiError(409, {"error": "UpdateConflict", "description": text})
    body, public = _sent_comment(sent)
    at = _iso(standin.clock())
    if body:
        account.add_comment(number, body, at, public=public)
    ticket["updated_at"] = at
    return _json({"ticket": ticket})


def _current(standin: StandIn, pair: TokenPair) -> Response:
    entry = {
        "id": pair.id,
        "url": f"{standin.url(pair.account.subdomain)}/api/v2/oauth/tokens/{pair.id}.json",
        "user_id": pair.person.id,
        "token": pair.access_token[:10],
        "scopes": pair.scope.split(),
        "created_at": _iso(pair.issued_at),
        "expires_at": _iso(pair.access_ends_at),
    }
    return _json({"token": entry})


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _delete(standin: StandIn, account: Account, name: str) -> Response:
    """Delete by id; by the name `current` nothing dies, although the answer is the same."""
    if standin.switches.refuse_delete:
        raise _forbidden("write")
    if name == "current":
        return Response(status=204)
    ids = {str(pair.id) for pair in standin.alive(account.subdomain)}
    if name not in ids:
        raise ApiError(404, {"error": "RecordNotFound", "description": "Not found"})
    standin.revoke_token(int(name))
    return Response(status=204)
