"""Webhooks: made over the API, told of new tickets with a signature, and of nothing else."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.zendesk.standin import StandIn
from local.zendesk.webhooks import TICKET_CREATED
from tests import loopback
from tests.loopback import Loopback, listening
from tests.standin.client import PlainClient

TICKET = {"ticket": {"subject": "Late", "comment": {"body": "Still nothing."}}}


@pytest.fixture
def receiver() -> Iterator[Loopback]:
    """Give somebody who takes every webhook."""
    with listening() as server:
        server.say(loopback.answer(204, b""))
        yield server


def received(zendesk: StandIn, receiver: Loopback) -> list[tuple[Mapping[str, str], bytes]]:
    """Return headers and body of every request, once all are answered."""
    zendesk.webhooks.settle()
    bodies = [request.partition(b"\r\n\r\n")[2] for request in receiver.requests]
    return [(receiver.head(number)[1], body) for number, body in enumerate(bodies)]


def webhook(endpoint: str, /, **changes: object) -> dict[str, object]:
    """Return what an integration sends to have a webhook made."""
    wanted = {
        "name": "Worker",
        "status": "active",
        "endpoint": endpoint,
        "http_method": "POST",
        "request_format": "json",
        "subscriptions": [TICKET_CREATED],
    }
    return {"webhook": {name: value for name, value in (wanted | changes).items() if value is not None}}


def test_a_new_ticket_is_told_as_zendesk_documents_it(zendesk: StandIn, receiver: Loopback) -> None:
    """Proves the event's form: ids in its detail are texts, and it names the account but no subdomain."""
    zendesk.add_webhook("acme", f"{receiver.address}/acme")
    ticket = zendesk.add_ticket("acme", "Late", "Still nothing.")
    [(headers, body)] = received(zendesk, receiver)
    event = json.loads(body)
    assert (event["type"], event["subject"]) == (TICKET_CREATED, f"zen:ticket:{ticket['id']}")
    assert (event["time"], event["zendesk_event_version"]) == (ticket["created_at"], "2022-11-06")
    assert (event["detail"]["id"], event["detail"]["status"]) == (str(ticket["id"]), "NEW")
    assert headers["x-zendesk-account-id"] == str(event["account_id"])
    assert b"acme" not in body
    assert len(event["id"]) == len(headers["x-zendesk-webhook-invocation-id"])


def test_it_is_signed_over_timestamp_and_body(zendesk: StandIn, receiver: Loopback) -> None:
    """Proves the signature with an HMAC of our own, and that each account has another secret."""
    hook = zendesk.add_webhook("acme", receiver.address)
    other = zendesk.add_webhook("globex", receiver.address)
    zendesk.add_ticket("acme", "Late", "Still nothing.")
    [(headers, body)] = received(zendesk, receiver)
    signed = headers["x-zendesk-webhook-signature-timestamp"].encode() + body
    digest = hmac.new(hook.signing_secret.encode(), signed, hashlib.sha256).digest()
    assert base64.b64decode(headers["x-zendesk-webhook-signature"]) == digest
    assert hook.signing_secret != other.signing_secret
    assert hook.signing_secret not in repr(hook)


def test_the_same_event_can_be_sent_again(zendesk: StandIn, receiver: Loopback) -> None:
    """Proves that a second delivery is the same event with a signature of its own time."""
    zendesk.add_webhook("acme", receiver.address)
    zendesk.add_ticket("acme", "Late", "Still nothing.")
    zendesk.webhooks.settle()
    zendesk.clock.advance(30)
    [invocation] = zendesk.webhooks.invocations
    assert zendesk.webhooks.send(invocation) == 204
    (first, body), (second, again) = received(zendesk, receiver)
    assert body == again
    assert first["x-zendesk-webhook-signature"] != second["x-zendesk-webhook-signature"]
    assert invocation.statuses == [204, 204]


@pytest.mark.parametrize("status", [401, 503, 0])
def test_what_the_receiver_answers_is_kept(zendesk: StandIn, receiver: Loopback, status: int) -> None:
    """Proves that a refusal is seen, and 0 where nobody answers, and that adding the ticket works all the same."""
    receiver.say(loopback.answer(status, b"") if status else loopback.raw(b""))
    zendesk.add_webhook("acme", receiver.address)
    assert zendesk.add_ticket("acme", "Late", "Still nothing.")["id"] == 3
    zendesk.webhooks.settle()
    assert [one.statuses for one in zendesk.webhooks.invocations] == [[status]]


def test_an_integration_makes_its_webhook_itself(
    zendesk: StandIn, client: PlainClient, receiver: Loopback
) -> None:
    """Proves the way over the API: made with webhooks:write, its secret read, and told of a ticket that came there."""
    token = client.pair(scope="webhooks:write webhooks:read tickets:write")["access_token"]
    made = client.api(token, "webhooks", method="POST", json=webhook(receiver.address))
    assert made.status_code == 201
    secret = client.api(token, f"webhooks/{made.json()['webhook']['id']}/signing_secret").json()
    assert client.api(token, "tickets.json", method="POST", json=TICKET).status_code == 201
    [(headers, body)] = received(zendesk, receiver)
    signed = headers["x-zendesk-webhook-signature-timestamp"].encode() + body
    digest = hmac.new(secret["signing_secret"]["secret"].encode(), signed, hashlib.sha256).digest()
    assert base64.b64decode(headers["x-zendesk-webhook-signature"]) == digest


@pytest.mark.parametrize(
    "changes",
    [{"http_method": "GET"}, {"request_format": "xml"}, {"name": None}, {"endpoint": "https://evil.example"}],
)
def test_a_webhook_that_cannot_be_is_refused(client: PlainClient, changes: dict[str, Any]) -> None:
    """Proves that only a JSON POST to loopback can be subscribed, and that a whole webhook has to be sent."""
    token = client.pair(scope="webhooks:write")["access_token"]
    body = webhook("http://127.0.0.1:1/", **changes)
    assert client.api(token, "webhooks", method="POST", json=body).status_code == 400


def test_webhooks_are_the_accounts_own(zendesk: StandIn, client: PlainClient, receiver: Loopback) -> None:
    """Proves that another account's secret is not found, a scope is wanted, and other events are not told."""
    hook = zendesk.add_webhook("globex", receiver.address)
    zendesk.webhooks.add(zendesk.accounts.get("acme"), receiver.address, "zen:event-type:user.created")
    token = client.pair(scope="webhooks:read")["access_token"]
    assert client.api(token, f"webhooks/{hook.id}/signing_secret").status_code == 404
    assert client.api(token, "webhooks", method="POST", json=webhook(receiver.address)).status_code == 403
    zendesk.add_ticket("acme", "Late", "Still nothing.")
    assert received(zendesk, receiver) == []


def test_tickets_and_webhooks_over_http(zendesk: StandIn, client: PlainClient, receiver: Loopback) -> None:
    """Proves that the control routes add both, and show no secret."""
    made = client.control("POST", "accounts/acme/webhooks", {"endpoint": receiver.address})
    added = client.control("POST", "accounts/acme/tickets", {"subject": "Late", "body": "Still nothing."})
    assert added.json() == {"id": 3}
    [(headers, _)] = received(zendesk, receiver)
    assert made.json() == {"id": headers["x-zendesk-webhook-id"]}
