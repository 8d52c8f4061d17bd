"""What stands round the worker in its tests: tokens without a table, and what became of messages and tickets."""

import json
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

from local.zendesk.standin import StandIn
from tests.examples.messages import CONTEXT, failures
from tests.loopback import Loopback
from tests.standin.client import PlainClient
from zendesk_oauth.errors import ZendeskOAuthError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.token import AccessToken, TokenQuestion

SCOPES = ("users:read", "tickets:read", "tickets:write")
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/queue"


class Pairs:
    """In place of reading a token: gives the next pair's when one has failed, or raises."""

    def __init__(self, client: PlainClient) -> None:
        self._client = client
        self._tokens: dict[str, list[str]] = {}
        self.failed: list[int] = []
        self.error: ZendeskOAuthError | None = None

    def __call__(self, question: TokenQuestion, until: float) -> AccessToken:
        """Return the account's newest token."""
        del until
        if self.error:
            raise self.error
        tokens = self._tokens.setdefault(question.subdomain, [])
        if question.newer_than is not None:
            self.failed.append(question.newer_than)
        if question.newer_than is not None or not tokens:
            tokens.append(str(self._client.pair(question.subdomain, scope=" ".join(SCOPES))["access_token"]))
        expires_at = datetime.now(UTC) + timedelta(hours=1)
        return AccessToken(Secret(tokens[-1]), 1, len(tokens), expires_at, expires_at, SCOPES)

    def texts(self) -> list[str]:
        """Return every token."""
        return [token for tokens in self._tokens.values() for token in tokens]


def handed(app: ModuleType, *records: dict[str, Any]) -> list[str]:
    """Hand a batch over; return the messages that go back into the queue."""
    return failures(app.handler({"Records": list(records)}, CONTEXT))


def hidden(sqs: Loopback) -> list[tuple[str, int]]:
    """Return which messages were hidden for how many seconds."""
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in sqs.requests]
    assert {body["QueueUrl"] for body in bodies} <= {QUEUE}
    return [(body["ReceiptHandle"], body["VisibilityTimeout"]) for body in bodies]


def notes(zendesk: StandIn, number: int = 1, subdomain: str = "acme") -> list[str]:
    """Return the internal notes of a ticket."""
    comments = zendesk.accounts.get(subdomain).comments[number]
    return [str(comment["body"]) for comment in comments if not comment["public"]]


def ticket(number: int = 1, subdomain: str = "acme") -> dict[str, object]:
    """Return the two fields that are enough for a message."""
    return {"subdomain": subdomain, "ticket_id": number}
