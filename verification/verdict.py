"""What a call proves: that it is refused, that it is allowed, or nothing.

The rule: only a refusal by name is a refusal. A call that failed for any other reason might have been let through.
"""

from collections.abc import Callable
from enum import StrEnum
from http import HTTPStatus
from typing import NamedTuple

from botocore.awsrequest import AWSResponse
from botocore.exceptions import BotoCoreError, ClientError

REFUSALS = frozenset({"AccessDenied", "AccessDeniedException"})
LET_THROUGH = frozenset({"ConditionalCheckFailedException"})
"""A condition is looked at only after the permission was given; ours can never hold, so nothing is written."""
OUR_HEADER = "Referrer-Policy"
"""Every answer of a function of ours has it, the gateway's own have not."""
_NOT_THERE = "a route that is not there"


class Verdict(StrEnum):
    """What is known after a call."""

    REFUSED = "refused"
    ALLOWED = "allowed"
    UNPROVEN = "unproven"


class Finding(NamedTuple):
    """A verdict, and the error's code or the status that it was drawn from; never an answer."""

    verdict: Verdict
    because: str


def of_call(call: Callable[[], object]) -> Finding:
    """Make a call of the SDK and judge how it ended."""
    try:
        call()
    except ClientError as error:
        return _of_code(error.response["Error"]["Code"])
    except BotoCoreError as error:
        return Finding(Verdict.UNPROVEN, type(error).__name__)
    return Finding(Verdict.ALLOWED, "it was answered")


def of_request(send: Callable[[], AWSResponse]) -> Finding:
    """Send a request to the API and judge who answered it: a function of ours, or the gateway before it."""
    try:
        answer = send()
    except BotoCoreError as error:
        return Finding(Verdict.UNPROVEN, type(error).__name__)
    status = answer.status_code
    if OUR_HEADER in answer.headers:
        return Finding(Verdict.ALLOWED, f"the function answered {status}")
    if status == HTTPStatus.FORBIDDEN:
        return Finding(Verdict.REFUSED, f"the gateway answered {status}")
    if status == HTTPStatus.NOT_FOUND:
        return Finding(Verdict.REFUSED, _NOT_THERE)
    return Finding(Verdict.UNPROVEN, f"the gateway answered {status}")


def _of_code(code: str) -> Finding:
    if code in REFUSALS:
        return Finding(Verdict.REFUSED, code)
    return Finding(Verdict.ALLOWED if code in LET_THROUGH else Verdict.UNPROVEN, code)
