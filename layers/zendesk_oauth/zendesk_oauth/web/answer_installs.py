"""POST /invitations and POST /installs/{handle}/confirm: what the company's own backend asks, as JSON.

The gateway has checked the caller's IAM signature before.
"""

import re
from collections.abc import Callable
from http import HTTPStatus

from zendesk_oauth.errors import ConfirmationRejectedError
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.models.secret import OneUseSecret
from zendesk_oauth.services.offer_install import Invitation, Offer
from zendesk_oauth.web.edge import Answer
from zendesk_oauth.web.json_text import json_response, parse_fields
from zendesk_oauth.web.request import Request
from zendesk_oauth.web.statuses import NOT_FOUND, Problem

_INVITATIONS = "/invitations"
_CONFIRM = re.compile(r"/installs/([^/]+)/confirm")
_USER = frozenset({"user"})
_OFFER_OPTIONS = frozenset({"grant", "subdomain", "return_to"})


class AnswerInstalls:
    """Finds the use case by the path and answers in JSON."""

    def __init__(
        self,
        offer_install: Callable[[Offer], Invitation],
        confirm_install: Callable[[OneUseSecret, str], Install],
    ) -> None:
        self.offer_install = offer_install
        self.confirm_install = confirm_install

    def __call__(self, request: Request) -> Answer | Problem:
        """Return the answer, or that there is nothing at this path. Raises a RequestError or a StoreError."""
        if request.path == _INVITATIONS:
            return self._offer(request.body)
        confirm = _CONFIRM.fullmatch(request.path)
        if confirm:
            return self._confirm(confirm[1], request.body)
        return NOT_FOUND

    def _offer(self, body: bytes) -> Answer:
        fields = parse_fields(body, _USER, _OFFER_OPTIONS)
        offer = Offer(fields["user"], fields.get("grant"), fields.get("subdomain"), fields.get("return_to"))
        invitation = self.offer_install(offer)
        install = invitation.install
        invited = {
            "install": install.install_id,
            "start_url": invitation.start_url,
            "expires_at": install.expires_at,
        }
        return Answer(json_response(HTTPStatus.CREATED, invited), install.status.value, install)

    def _confirm(self, unverified_handle: str, body: bytes) -> Answer:
        fields = parse_fields(body, _USER, frozenset())
        handle = OneUseSecret.parse(unverified_handle)
        if handle is None:
            raise ConfirmationRejectedError("not of the form of a handle")
        install = self.confirm_install(handle, fields["user"])
        return Answer(json_response(HTTPStatus.OK, _connected(install)), "confirmed", install)


def _connected(install: Install) -> dict[str, object]:
    return {
        "install": install.install_id,
        "grant": install.grant,
        "subdomain": install.account,
        "status": InstallStatus.CONNECTED.value,
        "scopes": [scope for scope in install.scopes if scope not in install.missing_scopes],
        "missing_scopes": list(install.missing_scopes),
    }
