"""The pages that people see: sign in, Allow or Deny, an account's tickets, and those that say no.

The rule: every page says that it is a stand-in; no script, one stylesheet inline, allowed by its hash.
"""

import base64
import hashlib
from pathlib import Path
from urllib.parse import urlencode

from flask import Response, render_template
from werkzeug.datastructures import MultiDict

from local.zendesk import scopes
from local.zendesk.accounts import Account, Person

TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (TEMPLATES / "style.css").read_text()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# No form-action: Chromium applies it to the redirect that follows a press of Allow or Deny.
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "frame-ancestors 'none'",
}


def _page(template: str, status: int = 200, **values: object) -> Response:
    text = render_template(template, style=_STYLE, **values)
    return Response(text, status, headers=_HEADERS, content_type="text/html; charset=utf-8")


def sign_in(account: Account, query: MultiDict[str, str]) -> Response:
    """Return the page where one says who one is; each person is a link back with a name in it."""
    pairs = [(name, value) for name, value in query.items(multi=True) if name != "person"]
    links = [(person, "?" + urlencode([*pairs, ("person", role)])) for role, person in account.people.items()]
    return _page("sign_in.html", account=account, links=links)


def consent(account: Account, person: Person, client_id: str, scope: str) -> Response:
    """Return the page with Allow and Deny, which lists the scopes in words."""
    sentences = scopes.in_words(scope)
    return _page("consent.html", account=account, person=person, client_id=client_id, sentences=sentences)


def tickets(account: Account, *, is_incomplete: bool = False) -> Response:
    """Return the list of an account's tickets, newest first, and a form for another one."""
    shown = [
        (ticket, sum(not comment["public"] for comment in account.comments[number]))
        for number, ticket in sorted(account.tickets.items(), reverse=True)
    ]
    status = 400 if is_incomplete else 200
    return _page("tickets.html", status, account=account, tickets=shown, is_incomplete=is_incomplete)


def ticket(account: Account, number: int) -> Response:
    """Return one ticket with its comments, oldest first; notes that its requester does not see are marked."""
    if number not in account.tickets:
        return _page("no_ticket.html", 404, account=account)
    comments = list(account.comments[number])
    return _page("ticket.html", account=account, ticket=account.tickets[number], comments=comments)


def refused(reason: str) -> Response:
    """Return the 400 that a wrong client or address ends at: Zendesk sends nobody back then."""
    return _page("refused.html", 400, reason=reason)


def no_such_account() -> Response:
    """Return the 404 of a subdomain where nobody lives."""
    return _page("gone.html", 404)
