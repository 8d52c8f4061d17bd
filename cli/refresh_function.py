"""Asks the function `refresh`, which alone holds what an operator does not: the client secret, and the keys of tokens.

The rule: none of these questions changes what is not due to change, so each can be asked again; each is sent once.
"""

import json
from collections.abc import Mapping
from typing import Any

from cli.desk import Desk
from cli.errors import BrokenError, CommandError, NotNowError
from cli.stack import Stack
from zendesk_oauth.models.subdomain import Subdomain

ANSWER_SECONDS = 70
"""Longer than the function may run."""
_NOT_NOW = frozenset({"StoreUnavailableError", "RefreshPendingError", "Sandbox.Timedout"})
_LOG = "its log says why"


def refresh_due(desk: Desk, grant: str, subdomain: Subdomain) -> Mapping[str, Any]:
    """Have a connection refreshed if it is due; return the outcome."""
    return _ask(desk, {"grant": grant, "subdomain": subdomain, "asked": "due"})


def refresh_failed(desk: Desk, grant: str, subdomain: Subdomain, seen: tuple[int, int]) -> Mapping[str, Any]:
    """Have the token of that epoch and generation put to Zendesk, and refreshed if it is dead."""
    version = dict(zip(("epoch", "generation"), seen, strict=True))
    return _ask(desk, {"grant": grant, "subdomain": subdomain, "asked": "failed", "seen": version})


def probe(desk: Desk, grant: str, subdomain: Subdomain) -> Mapping[str, Any]:
    """Have the stored access token put to Zendesk, and nothing changed."""
    return _ask(desk, {"probe": {"grant": grant, "subdomain": subdomain}})


def examine(desk: Desk, subdomain: Subdomain) -> Mapping[str, Any]:
    """Have the client secret, Zendesk's knowledge of our client, and the token key looked at."""
    return _ask(desk, {"examine": {"subdomain": subdomain}})


def _ask(desk: Desk, event: Mapping[str, object]) -> Mapping[str, Any]:
    client = desk.account.client("lambda", read_seconds=ANSWER_SECONDS, attempts=1)
    answer = client.invoke(FunctionName=Stack(desk.stack).refresh_function, Payload=json.dumps(event))
    payload: Mapping[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise _failure(payload)
    return payload


def _failure(payload: Mapping[str, Any]) -> CommandError:
    """Return what the function's end means; only the text of our own errors is told, which holds no secret."""
    kind = str(payload.get("errorType", "an error of no name"))
    if kind in _NOT_NOW:
        return NotNowError(f"refresh could not do it now ({kind}); try again in a minute")
    if kind == "MalformedRequestError":
        return BrokenError("refresh does not know this question; is the stack of this command's version?")
    if kind == "ConfigurationError":
        return BrokenError(f"refresh is not set up correctly: {payload.get('errorMessage')}")
    return BrokenError(f"refresh failed ({kind}); {_LOG}")
