"""The control routes: what `StandIn` can do, as JSON over HTTP, for callers in another process.

The rule: nothing here shows a secret; a wrong request is 400 with one sentence in `error`.
"""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from local.zendesk import misbehaviours
from local.zendesk.accounts import NoSuchAccountError
from local.zendesk.faults import ENDPOINTS
from local.zendesk.seen import redacted
from local.zendesk.standin import StandIn
from local.zendesk.tokens import TokenPair


def control(standin: StandIn) -> Blueprint:
    """Return the routes under `/_control`."""
    routes = Blueprint("control", __name__, url_prefix="/_control")
    routes.register_error_handler(ValueError, _wrong)
    routes.register_error_handler(TypeError, _wrong)
    routes.register_error_handler(KeyError, _wrong)
    routes.register_error_handler(NoSuchAccountError, _wrong)
    _misbehaviour_routes(routes, standin)
    _state_routes(routes, standin)
    _customer_routes(routes, standin)
    return routes


def _wrong(error: Exception) -> tuple[Response, int]:
    return jsonify(error=f"{type(error).__name__}: {error}"), 400


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return body


def _done() -> Response:
    return Response(status=204)


def _misbehaviour_routes(routes: Blueprint, standin: StandIn) -> None:
    @routes.get("/faults")
    def list_faults() -> Response:
        return jsonify(to_come=standin.faults.to_come(), endpoints=ENDPOINTS, kinds=misbehaviours.catalogue())

    @routes.post("/faults")
    def misbehave() -> Response:
        body = _body()
        standin.misbehave(body.pop("kind"), **body)
        return _done()

    @routes.delete("/faults")
    def clear_faults() -> Response:
        standin.faults.clear()
        return _done()

    @routes.post("/release")
    def release() -> Response:
        standin.release()
        return _done()

    @routes.get("/switches")
    def show_switches() -> Response:
        return jsonify(standin.switches)

    @routes.patch("/switches")
    def turn_switches() -> Response:
        standin.switches.turn(_body())
        return jsonify(standin.switches)


def _state_routes(routes: Blueprint, standin: StandIn) -> None:
    @routes.get("/seen")
    def seen() -> Response:
        return jsonify(standin.seen.report() | {"waiting": standin.pause.waiting})

    @routes.get("/tokens")
    def tokens() -> Response:
        alive = standin.alive(request.args.get("subdomain"))
        return jsonify(alive=[_shown(standin, pair) for pair in alive])

    _settings_routes(routes, standin)


def _settings_routes(routes: Blueprint, standin: StandIn) -> None:

    @routes.post("/clock")
    def clock() -> Response:
        standin.clock.advance(float(_body()["advance"]))
        return jsonify(now=standin.clock())

    @routes.post("/client")
    def client() -> Response:
        body = _body()
        if "secrets" in body:
            standin.client.accept_secrets(*map(str, body["secrets"]))
        for redirect_uri in body.get("redirect_uris", []):
            standin.client.register(str(redirect_uri))
        return _done()

    @routes.post("/codes")
    def rename_code() -> Response:
        body = _body()
        standin.tokens.rename_code(str(body["code"]), str(body["as"]), float(body["seconds"]))
        return _done()

    @routes.post("/reset")
    def reset() -> Response:
        standin.reset()
        return _done()


def _shown(standin: StandIn, pair: TokenPair) -> dict[str, object]:
    return {
        "id": pair.id,
        "subdomain": pair.account.subdomain,
        "role": pair.person.role,
        "scope": pair.scope,
        "access_token": redacted(pair.access_token),
        "refresh_token": redacted(pair.refresh_token),
        "is_live": standin.tokens.is_live(pair),
        "access_ends_at": pair.access_ends_at,
        "refresh_ends_at": pair.refresh_ends_at,
    }


def _customer_routes(routes: Blueprint, standin: StandIn) -> None:
    @routes.delete("/tokens/<int:token_id>")
    def revoke_token(token_id: int) -> Response:
        return jsonify(revoked=int(standin.revoke_token(token_id)))

    @routes.delete("/accounts/<subdomain>/tokens")
    def revoke_all(subdomain: str) -> Response:
        return jsonify(revoked=standin.revoke_all(subdomain))

    @routes.delete("/accounts/<subdomain>/people/<role>")
    def remove_person(subdomain: str, role: str) -> Response:
        standin.remove_person(subdomain, role)
        return _done()

    @routes.delete("/accounts/<subdomain>")
    def delete_account(subdomain: str) -> Response:
        standin.delete_account(subdomain)
        return _done()

    @routes.post("/accounts/<subdomain>/tickets")
    def add_ticket(subdomain: str) -> Response:
        body = _body()
        ticket = standin.add_ticket(subdomain, str(body["subject"]), str(body["body"]))
        return jsonify(id=ticket["id"])

    @routes.post("/accounts/<subdomain>/webhooks")
    def add_webhook(subdomain: str) -> Response:
        return jsonify(id=standin.add_webhook(subdomain, str(_body()["endpoint"])).id)

    @routes.post("/accounts/<subdomain>/rename")
    def rename_subdomain(subdomain: str) -> Response:
        standin.rename_subdomain(subdomain, str(_body()["to"]))
        return _done()
