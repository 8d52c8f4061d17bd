"""A little of Zendesk's API: users/me, a token's own entry, tickets, and webhooks.

The rule: the bearer is checked before the scope, the scope before the work; errors read as Zendesk's own.
"""

from flask import Blueprint, Response

from local.zendesk.accounts import Account
from local.zendesk.clock import iso
from local.zendesk.serving import answered, forbidden, not_found, serve
from local.zendesk.standin import StandIn
from local.zendesk.tickets import add_ticket_routes
from local.zendesk.tokens import TokenPair
from local.zendesk.webhook_routes import add_webhook_routes


def api(standin: StandIn) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("api", __name__, url_prefix="/<subdomain>/api/v2")

    @routes.get("/users/me.json")
    def users_me(subdomain: str) -> Response:
        return serve(standin, "users_me", "users:read", subdomain, lambda _, pair: _user(standin, pair))

    @routes.get("/oauth/tokens/current.json")
    def current_token(subdomain: str) -> Response:
        return serve(standin, "current_token", None, subdomain, lambda _, pair: _current(standin, pair))

    @routes.delete("/oauth/tokens/<name>.json")
    def delete_token(subdomain: str, name: str) -> Response:
        return serve(
            standin, "delete_token", None, subdomain, lambda account, _: _delete(standin, account, name)
        )

    add_ticket_routes(routes, standin)
    add_webhook_routes(routes, standin)
    return routes


def _user(standin: StandIn, pair: TokenPair) -> Response:
    if standin.switches.anonymous:
        return answered({"user": {"id": None, "name": "Anonymous user", "role": "end-user"}})
    person = pair.person
    role = standin.switches.role or person.role
    return answered({"user": {"id": person.id, "name": person.name, "email": person.email, "role": role}})


def _current(standin: StandIn, pair: TokenPair) -> Response:
    entry = {
        "id": pair.id,
        "url": f"{standin.url(pair.account.subdomain)}/api/v2/oauth/tokens/{pair.id}.json",
        "user_id": pair.person.id,
        "token": pair.access_token[:10],
        "scopes": pair.scope.split(),
        "created_at": iso(pair.issued_at),
        "expires_at": iso(pair.access_ends_at),
    }
    return answered({"token": entry})


def _delete(standin: StandIn, account: Account, name: str) -> Response:
    """Delete by id; by the name `current` nothing dies, although the answer is the same."""
    if standin.switches.refuse_delete:
        raise forbidden("write")
    if name == "current":
        return Response(status=204)
    ids = {str(pair.id) for pair in standin.alive(account.subdomain)}
    if name not in ids:
        raise not_found()
    standin.revoke_token(int(name))
    return Response(status=204)
