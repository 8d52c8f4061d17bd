"""Asks the deployment's API, and says in words what an answer means that is no success.

The rule: a GET may be sent again where the API asks to wait; whatever changes something is sent once.
"""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from time import sleep
from typing import TYPE_CHECKING, Any, NamedTuple

from cli.arguments import NO_SUCH_GRANT
from cli.desk import Desk
from cli.errors import (
    AmissError,
    BrokenError,
    CommandError,
    NoAccessError,
    NotConnectedError,
    NotNowError,
    RefusedError,
)

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

TRIES = 5
LONGEST_WAIT_SECONDS = 10
_WAITS = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_REASONS: Mapping[str, str] = {
    "unknown_grant": NO_SUCH_GRANT,
    "subdomain_refused": "that is not the name of a Zendesk account; it looks like acme in acme.zendesk.com",
    "return_to_refused": "that address to return to is not allowed; see AllowedReturnOrigins",
}

_PROBLEMS: Mapping[object, Callable[[], CommandError]] = {
    "not_connected": NotConnectedError,
    "replaced": lambda: AmissError(
        "a new install came in between, and nothing was ended; look at it, and ask again"
    ),
}


class Answer(NamedTuple):
    """An answer of the API: its status, and its JSON object."""

    status: int
    fields: Mapping[str, Any]


def get(desk: Desk, path: str) -> Mapping[str, Any]:
    """Return what a GET is answered. Raises a CommandError for whatever is no success."""
    for number in range(1, TRIES):
        answer = ask(desk, "GET", path)
        if answer.status not in _WAITS:
            break
        sleep(_wait(answer, number))
    else:
        answer = ask(desk, "GET", path)
    return succeeded(answer).fields


def ask(desk: Desk, method: str, path: str, body: Mapping[str, object] | None = None) -> Answer:
    """Send one signed request and return the answer, whatever it is."""
    response = desk.api.request(method, path, desk.identity, body)
    wait = {"retry_after": response.headers["Retry-After"]} if "Retry-After" in response.headers else {}
    return Answer(response.status_code, {**wait, **_fields(response)})


def succeeded(answer: Answer) -> Answer:
    """Return the answer if it is a success. Raises the CommandError that says what it is instead."""
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return answer
    raise _problem(answer)


def _problem(answer: Answer) -> CommandError:
    code, said = answer.fields.get("error"), answer.fields.get("message", "")
    if code in _PROBLEMS:
        return _PROBLEMS[code]()
    if answer.status in _WAITS:
        return NotNowError(f"the deployment asks to wait ({code or answer.status}); try again in a moment")
    if answer.status == HTTPStatus.FORBIDDEN:
        return NoAccessError("the API does not allow you this; docs/cli.md says which policy does")
    if code and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return RefusedError(f"{_REASONS.get(code, said)} ({code})")
    if answer.status == HTTPStatus.NOT_FOUND:
        return BrokenError("nothing answers at this address; is the stack of this command's version?")
    reference = answer.fields.get("reference")
    where = f", and its log knows it as {reference}" if reference else "; look at the gateway's log"
    return BrokenError(f"the deployment answers with {answer.status} {code or ''}{where}")


def _wait(answer: Answer, number: int) -> float:
    """Return the seconds that the API asks to wait, or more each time, within what a person waits."""
    asked = str(answer.fields.get("retry_after", ""))
    return min(int(asked) if asked.isdecimal() else number, LONGEST_WAIT_SECONDS)


def _fields(response: "AWSResponse") -> Mapping[str, Any]:
    """Return the JSON object of an answer, or nothing where it is none: a gateway's page, for instance."""
    try:
        fields = json.loads(response.content)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
