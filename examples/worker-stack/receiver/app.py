"""Takes Zendesk's webhooks: what an account's own secret has signed goes onto a bus, cut down to which ticket it is.

Each account's webhook has an address of its own, `https://…/acme`, because the event itself names no subdomain. Zendesk
is told that an event has arrived when the bus has it, and not before.
"""

import base64
import hmac
import json
import os
import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from secrets import token_hex
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

BUS, SOURCE = os.environ["TICKET_BUS"], "zendesk.ticket"
KIND, TICKETS = "zen:event-type:", "zen:event-type:ticket."
FRESH = timedelta(minutes=5)
"""How old a signature may be, and how far ahead its clock."""
LARGEST = 256 * 1024
"""Bytes of a body: a ticket with its first comment stays far below."""
SECRETS_AGE = 300
"""Seconds for which the secrets are kept; a new account is known after that."""
RETRY_SECONDS = "10"
"""Zendesk repeats after a 503 only where it is asked to come again within a minute."""
_WORD, _NUMBER = re.compile(r"[\w.:+-]{1,64}", re.ASCII), re.compile(r"\d{1,20}", re.ASCII)

logger = Logger()
limits = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2})
bus = boto3.client("events", config=limits)
vault = SecretsProvider(boto_config=limits.merge(Config(retries={"total_max_attempts": 1})))


class RefusedError(Exception):
    """A request that is not taken: Zendesk gets the status and not a word more."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer Zendesk: 204 once the bus has the event, 503 where that could not be had, and refusals without detail."""
    unverified_subdomain = event["rawPath"].strip("/")[:64]
    try:
        body = verified_body(event, unverified_subdomain)
        tell(fact_of(unverified_subdomain, body))  # no longer unverified: its secret has signed
    except RefusedError as error:
        logger.warning("refused", reason=str(error), unverified_subdomain=unverified_subdomain)
        return {"statusCode": error.status}
    except Exception:
        logger.exception("not taken")
        return {"statusCode": HTTPStatus.SERVICE_UNAVAILABLE, "headers": {"Retry-After": RETRY_SECONDS}}
    return {"statusCode": HTTPStatus.NO_CONTENT}


def verified_body(event: dict[str, Any], unverified_subdomain: str) -> bytes:
    """Return the body, byte for byte as it came, if the account's secret has signed it a moment ago."""
    if event["requestContext"]["http"]["method"] != "POST":
        raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "no POST")
    text = event.get("body") or ""
    body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode(errors="replace")
    if len(body) > LARGEST:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too large")
    timestamp = event["headers"].get("x-zendesk-webhook-signature-timestamp", "")
    given = event["headers"].get("x-zendesk-webhook-signature", "")
    secrets: Any = vault.get(os.environ["WEBHOOK_SECRETS"], transform="json", max_age=SECRETS_AGE)
    # An account that is not known is refused like a wrong signature, and takes as long.
    secret = secrets.get(unverified_subdomain) or token_hex()
    signed = hmac.digest(secret.encode(), timestamp.encode(errors="replace") + body, "sha256")
    if not hmac.compare_digest(base64.b64encode(signed), given.encode(errors="replace")):
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "signature")
    if not is_fresh(timestamp):
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "age")
    return body


def is_fresh(timestamp: str) -> bool:
    """Say whether a signature is of these minutes: an older one may be somebody's who has listened."""
    try:
        return abs(datetime.now(UTC) - datetime.fromisoformat(timestamp)) <= FRESH
    except (TypeError, ValueError):  # no time at all, or one of nowhere
        return False


def fact_of(subdomain: str, body: bytes) -> dict[str, Any]:
    """Return what the bus is told: that something happened to a ticket, and never what it says or who wrote it."""
    try:
        event = json.loads(body)
        words, number = [event[name] for name in ("type", "id", "time")], str(event["detail"]["id"])
        is_known = words[0].startswith(TICKETS) and all(map(_WORD.fullmatch, words))
        if is_known and _NUMBER.fullmatch(number):
            told = dict(zip(("type", "event_id", "occurred_at"), words, strict=True))
            return {"subdomain": subdomain, "ticket_id": int(number), **told}
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, type(error).__name__) from error
    raise RefusedError(HTTPStatus.BAD_REQUEST, "no event of a ticket")


def tell(fact: dict[str, Any]) -> None:
    """Put a fact onto the bus; raises where the bus does not take it."""
    name, detail = fact["type"].removeprefix(KIND), json.dumps(fact)
    answer = bus.put_events(
        Entries=[{"EventBusName": BUS, "Source": SOURCE, "DetailType": name, "Detail": detail}]
    )
    if answer["FailedEntryCount"]:
        raise RuntimeError(answer["Entries"][0]["ErrorCode"])
    logger.info("taken", correlation_id=fact["event_id"], **fact)
