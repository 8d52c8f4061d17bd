"""Webhooks: whom an account tells of its new tickets, and every request that was made for it.

The rule: requests are signed as Zendesk signs them, go to loopback only, and are kept with their answers. Nothing is
sent a second time by itself; `send` does it, as Zendesk may.
"""

import base64
import hashlib
import hmac
import http.client
import itertools
import json
import secrets
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from local.zendesk.accounts import Account

TICKET_CREATED = "zen:event-type:ticket.created"
VERSION = "2022-11-06"
"""Of the form that events of tickets have."""
_LOOPBACK = {"127.0.0.1", "localhost"}
_PATIENCE_SECONDS = 30


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows none: it might lead away from loopback."""

    def redirect_request(self, *_: object) -> None:
        """Return nothing, so that the redirect itself is the answer."""


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


@dataclass(frozen=True)
class Webhook:
    """An address that is told of what the account's admin has chosen."""

    id: str
    account: Account
    endpoint: str
    subscriptions: tuple[str, ...]
    signing_secret: str = field(repr=False)


@dataclass
class Invocation:
    """One event on its way to one webhook; `statuses` are the answers to every time that it was sent, 0 for none."""

    webhook: Webhook
    body: bytes
    statuses: list[int] = field(default_factory=list)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return what Zendesk puts into X-Zendesk-Webhook-Signature."""
    return base64.b64encode(hmac.digest(secret.encode(), timestamp.encode() + body, hashlib.sha256)).decode()


class Webhooks:
    """Every webhook of every account; `now` gives the time as the API writes it."""

    def __init__(self, now: Callable[[], str]) -> None:
        self._now = now
        self._ids = itertools.count(1)
        self._webhooks: list[Webhook] = []
        self._under_way: list[threading.Thread] = []
        self.invocations: list[Invocation] = []

    def add(self, account: Account, endpoint: str, *subscriptions: str) -> Webhook:
        """Keep a webhook with a secret of its own. Raises ValueError for an address elsewhere than on loopback."""
        if urlsplit(endpoint).hostname not in _LOOPBACK:
            raise ValueError("the stand-in calls loopback only")
        webhook = Webhook(self._new_id(), account, endpoint, subscriptions, secrets.token_urlsafe(32))
        self._webhooks.append(webhook)
        return webhook

    def find(self, account: Account, webhook_id: str) -> Webhook | None:
        """Return a webhook of the account, or None."""
        of_account = (one for one in self._webhooks if one.account is account)
        return next((one for one in of_account if one.id == webhook_id), None)

    def tell_of(self, account: Account, ticket: dict[str, object]) -> None:
        """Tell the account's webhooks of a new ticket, and do not wait for their answers."""
        for webhook in self._webhooks:
            if webhook.account is account and TICKET_CREATED in webhook.subscriptions:
                invocation = Invocation(webhook, json.dumps(self._event(account, ticket)).encode())
                self.invocations.append(invocation)
                thread = threading.Thread(target=self.send, args=(invocation,), daemon=True)
                self._under_way.append(thread)
                thread.start()

    def send(self, invocation: Invocation) -> int:
        """Sign an event with the present time, send it, and return the status, or 0 where no answer came."""
        timestamp, webhook = self._now(), invocation.webhook
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Zendesk-Account-Id": str(webhook.account.id),
            "X-Zendesk-Webhook-Id": webhook.id,
            "X-Zendesk-Webhook-Invocation-Id": self._new_id(),
            "X-Zendesk-Webhook-Signature": signature(webhook.signing_secret, timestamp, invocation.body),
            "X-Zendesk-Webhook-Signature-Timestamp": timestamp,
        }
        request = urllib.request.Request(webhook.endpoint, invocation.body, headers)  # noqa: S310 - loopback alone
        invocation.statuses.append(_status_of(request))
        return invocation.statuses[-1]

    def settle(self) -> None:
        """Wait until everything that is under way has been answered."""
        while self._under_way:
            self._under_way.pop().join()

    def _event(self, account: Account, ticket: dict[str, object]) -> dict[str, object]:
        """Return the event as Zendesk documents it: the ids in `detail` are texts, and no subdomain is named."""
        detail = {
            "id": str(ticket["id"]),
            "status": str(ticket["status"]).upper(),
            "subject": ticket["subject"],
            "description": ticket["description"],
            "created_at": ticket["created_at"],
            "updated_at": ticket["updated_at"],
            "requester_id": str(account.people["end-user"].id) if "end-user" in account.people else None,
        }
        return {
            "type": TICKET_CREATED,
            "account_id": account.id,
            "id": self._new_id(),
            "time": ticket["created_at"],
            "zendesk_event_version": VERSION,
            "subject": f"zen:ticket:{ticket['id']}",
            "detail": detail,
            "event": {"meta": {"version": "1.0", "occurred_at": ticket["created_at"], "ref": self._new_id()}},
        }

    def _new_id(self) -> str:
        """Return an id in the form of Zendesk's: 26 letters and digits."""
        return f"01{secrets.token_hex(9).upper()}{next(self._ids):06d}"


def _status_of(request: urllib.request.Request) -> int:
    try:
        with _OPENER.open(request, timeout=_PATIENCE_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except (OSError, http.client.HTTPException):
        return 0
