"""The page that asks before an invitation is used up, and the proof that its button sends.

The proof is an HMAC of the invitation under a random key that only this browser's `__Host-` cookie holds.
So it is bound to both, and nothing is stored: it ends with the invitation, which works once and for 60 seconds.
The form has no `action`: it is sent to the address of the page, which has every other parameter.
"""

from http import HTTPStatus

from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.models.install import OFFER_LIFE
from zendesk_oauth.models.secret import Entropy, OneUseSecret, Secret, derive, new_secret, same
from zendesk_oauth.web.cookies import Cookies, secret_named, set_cookie
from zendesk_oauth.web.pages.template import Page, fill, page_response
from zendesk_oauth.web.query import parse_query
from zendesk_oauth.web.request import Request
from zendesk_oauth.web.response import Response

COOKIE = "__Host-continue"
_FIELD = "proof"
_PURPOSE = "continue with an invitation"


def continue_page(
    settings: PageSettings, invitation: OneUseSecret, cookies: Cookies, entropy: Entropy
) -> Response:
    """Return the page, and the cookie that its button needs.

    A key that the browser holds already is kept: the pages of two invitations, or of one in two tabs, both work.
    """
    key = secret_named(cookies, COOKIE) or new_secret(entropy)
    content = fill("continue.html", company=settings.company_name, proof=_proof(key, invitation).reveal())
    page = Page(HTTPStatus.OK, "form", "Connect Zendesk", content, has_form=True)
    return page_response(page, settings)._replace(cookies=(set_cookie(COOKIE, key, OFFER_LIFE),))


def posted_proof(request: Request) -> str | None:
    """Return what the form of a POST calls a proof, or None where it is not our form.

    Raises MalformedRequestError where the field is broken.
    """
    return parse_query(request.body.decode(errors="replace"), frozenset({_FIELD})).get(_FIELD)


def is_proven(unverified_proof: str, unverified_invitation: str, cookies: Cookies) -> bool:
    """Whether the page of this invitation was shown to this browser. Compares in constant time."""
    key, invitation = secret_named(cookies, COOKIE), OneUseSecret.parse(unverified_invitation)
    if key is None or invitation is None:
        return False
    return same(_proof(key, invitation).reveal(), unverified_proof)


def _proof(key: Secret, invitation: OneUseSecret) -> Secret:
    return derive(key, _PURPOSE, invitation.text)
