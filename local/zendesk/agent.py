"""An account's tickets as its agents see them: what an integration has done, in a browser.

The rule: nobody has to sign in, and a new ticket is told of as one that came over the API.
"""

from flask import Blueprint, Response, request, url_for

from local.zendesk import pages
from local.zendesk.standin import StandIn


def agent(standin: StandIn) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("agent", __name__, url_prefix="/<subdomain>/agent/tickets")

    @routes.get("")
    def tickets(subdomain: str) -> Response:
        return pages.tickets(standin.accounts.get(subdomain))

    @routes.get("/<int:number>")
    def ticket(subdomain: str, number: int) -> Response:
        return pages.ticket(standin.accounts.get(subdomain), number)

    @routes.post("")
    def add_ticket(subdomain: str) -> Response:
        account = standin.accounts.get(subdomain)
        subject, body = (request.form.get(name, "").strip() for name in ("subject", "body"))
        if not subject or not body:
            return pages.tickets(account, is_incomplete=True)
        number = standin.add_ticket(subdomain, subject, body)["id"]
        location = url_for("agent.ticket", subdomain=subdomain, number=number)
        return Response(status=303, headers={"Location": location})

    return routes
