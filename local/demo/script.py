"""The demo's steps in their order: the one place that says which there are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local.demo import confirmations, installs
from local.demo.scene import Scene
from local.stack import CONFIRMED, OPEN


@dataclass(frozen=True, slots=True)
class Step:
    """A title, what the step shows in one sentence, the function that plays it, and the deployment it plays at."""

    title: str
    why: str
    play: Callable[[Scene], None]
    mode: str = OPEN


SCRIPT: Sequence[Step] = (
    Step("Allowed", "An admin presses Connect, then Allow: acme is connected.", installs.allowed),
    Step(
        "Denied", "An admin presses Deny: an outcome with a page of its own, not a failure.", installs.denied
    ),
    Step(
        "Allowed, and back to the company's page",
        "An install that names an allowed address ends there, with a result and no secret in the query.",
        installs.returned,
    ),
    Step("Replayed", "The callback is opened twice: one exchange, the same page.", installs.replayed),
    Step(
        "With a stranger's cookie",
        "Who knows only the callback's address can neither finish the install nor spoil it.",
        installs.stranger,
    ),
    Step(
        "Allowed by an end user",
        "Any Zendesk user can press Allow; an end user's token is revoked and never replaces the admin's.",
        installs.end_user,
    ),
    Step(
        "With a bad subdomain",
        "What is no account is refused beside the field; a pasted address is cut down.",
        installs.bad_subdomain,
    ),
    Step(
        "Installed again",
        "The same account is connected once more: a new epoch and new tokens.",
        installs.again,
    ),
    Step(
        "Confirmed by the backend",
        "In confirmed mode Allow makes a candidate; the backend's confirmation makes the connection.",
        confirmations.confirmed,
        CONFIRMED,
    ),
    Step(
        "Confirmed for somebody else",
        "Bob sends Ann through his own invitation; it comes back to Ann's session and becomes nobody's.",
        confirmations.stranger_confirms,
        CONFIRMED,
    ),
    Step(
        "Not confirmed in time",
        "What nobody confirms within ten minutes is revoked at Zendesk. The demo moves the time, not the clock.",
        confirmations.unconfirmed,
        CONFIRMED,
    ),
    Step(
        "Without permission",
        "Only a signed request of the backend gets an invitation, and only an invitation starts an install.",
        confirmations.unsigned,
        CONFIRMED,
    ),
)
