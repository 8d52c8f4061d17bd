"""The API's tickets and their comments.

The rule: where Zendesk knows only some orders of a list, any other is refused as Zendesk refuses it.
"""

from typing import Any

from flask import Blueprint, Response, request

from local.zendesk.accounts import Account
from local.zendesk.clock import iso
from local.zendesk.serving import ApiError, Work, answered, not_found, serve
from local.zendesk.standin import StandIn
from local.zendesk.tokens import TokenPair

_ORDERS = ("id", "updated_at", "status")
"""By what pages of tickets can be sorted; not by `created_at`, which only the older pagination knows."""
_PAGE = 100


def add_ticket_routes(routes: Blueprint, standin: StandIn) -> None:
    """Add what there is of tickets and their comments."""

    def read(subdomain: str, work: Work) -> Response:
        return serve(standin, "tickets", "tickets:read", subdomain, work)

    def write(subdomain: str, work: Work) -> Response:
        return serve(standin, "tickets", "tickets:write", subdomain, work)

    @routes.get("/tickets.json")
    def tickets(subdomain: str) -> Response:
        return read(subdomain, _list)

    @routes.post("/tickets.json")
    def add_ticket(subdomain: str) -> Response:
        return write(subdomain, lambda account, _: _add(standin, account))

    @routes.get("/tickets/<int:number>.json")
    def ticket(subdomain: str, number: int) -> Response:
        return read(subdomain, lambda account, _: answered({"ticket": _found(account, number)}))

    @routes.put("/tickets/<int:number>.json")
    def change_ticket(subdomain: str, number: int) -> Response:
        return write(subdomain, lambda account, _: _change(standin, account, number))

    @routes.get("/tickets/<int:number>/comments.json")
    def comments(subdomain: str, number: int) -> Response:
        return read(subdomain, lambda account, _: _comments(account, number))


def _list(account: Account, pair: TokenPair) -> Response:
    """Show every ticket; or a page of `page[size]`, by id unless `sort` says otherwise."""
    del pair
    found = list(account.tickets.values())
    if "page[size]" not in request.args:
        return answered({"tickets": found, "next_page": None, "previous_page": None, "count": len(found)})
    order = request.args.get("sort", "id")
    name, descends = order.removeprefix("-"), order.startswith("-")
    if name not in _ORDERS:
        raise ApiError(400, {"error": "InvalidPaginationParameter", "description": "sort is not valid"})
    if name != "id":
        found.sort(key=lambda ticket: str(ticket[name]))
    return _page("tickets", found[::-1] if descends else found)


def _page(name: str, found: list[dict[str, object]]) -> Response:
    size = request.args.get("page[size]", _PAGE, type=int)
    return answered({name: found[:size], "meta": {"has_more": len(found) > size}})


def _found(account: Account, number: int) -> dict[str, object]:
    if number not in account.tickets:
        raise not_found()
    return account.tickets[number]


def _comments(account: Account, number: int) -> Response:
    """Show the comments, oldest first unless `sort` is `-created_at`; as many as `page[size]` says."""
    _found(account, number)
    found = account.comments[number]
    return _page("comments", found[::-1] if request.args.get("sort") == "-created_at" else found)


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


def _add(standin: StandIn, account: Account) -> Response:
    sent = _sent_ticket()
    body, _ = _sent_comment(sent)
    ticket = standin.add_ticket(account.subdomain, str(sent.get("subject", "")), body)
    return answered({"ticket": ticket}, 201)


def _change(standin: StandIn, account: Account, number: int) -> Response:
    """Add the comment. A closed ticket takes none, nor one that changed since the stamp of a safe update."""
    ticket, sent = _found(account, number), _sent_ticket()
    if ticket["status"] == "closed":
        raise _invalid()
    if sent.get("safe_update") and sent.get("updated_stamp") != ticket["updated_at"]:
        text = "Safe Update prevented the update due to outdated ticket data."
        raise ApiError(409, {"error": "UpdateConflict", "description": text})
    body, public = _sent_comment(sent)
    at = iso(standin.clock())
    if body:
        account.add_comment(number, body, at, public=public)
    ticket["updated_at"] = at
    return answered({"ticket": ticket})
