"""The demo's steps in their order: the one place that says which there are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local.demo import confirmations, downstream, endings, events, installs, refreshes, rescues
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
    Step(
        "Replaced, and revoked",
        "The pair that an install has replaced is revoked at Zendesk, by a schedule.",
        endings.replaced,
    ),
    Step(
        "A burst of workers meets an expired token",
        "Fifty workers need a token at once: one refresh at Zendesk, and all go on with the same new token.",
        refreshes.burst,
    ),
    Step(
        "A token over HTTP",
        "Whoever is not written in Python signs one GET, and gets the same token.",
        refreshes.over_http,
    ),
    Step(
        "An answer is lost",
        "Zendesk rotates and its answer never arrives: the one loss that cannot be prevented is told, and mended.",
        refreshes.answer_lost,
    ),
    Step(
        "The table is away",
        "Zendesk has rotated and the table takes nothing: the sealed answer waits in a queue, and nothing is lost.",
        rescues.rescued,
    ),
    Step(
        "A request is lost",
        "A refresh fails before Zendesk has rotated: the old token serves on, and the next worker refreshes.",
        refreshes.request_lost,
    ),
    Step(
        "Revoked at Zendesk",
        "The account's admin deletes the token there: a 401 is looked into, and the worker is told why.",
        refreshes.revoked,
    ),
    Step(
        "Kept alive",
        "A connection that nobody uses is refreshed by a schedule, before its refresh token dies.",
        refreshes.kept_alive,
    ),
    Step(
        "Disconnected",
        "An operator ends a connection: its use stops, Zendesk's tokens die, and then ours are erased.",
        endings.disconnected,
    ),
    Step(
        "Connected after that",
        "The same account is connected once more, as a new epoch: what was ended stays ended.",
        endings.connected_again,
    ),
    Step(
        "Abandoned",
        "An admin begins an install and never answers: when its time is over, that is told too.",
        events.abandoned,
    ),
    Step(
        "Told on the bus",
        "Everything above has reached whoever listens, from the rows themselves: each fact once, in an order.",
        events.told,
    ),
    Step(
        "A ticket, and the worker's note",
        "A customer writes: Zendesk's webhook wakes the worker, which reads a token and adds a note, once.",
        downstream.noted,
    ),
    Step(
        "A denial's event",
        "The company's own systems hear of a denial by itself, without a token and without anybody's name.",
        events.denial,
    ),
    Step(
        "The operator's list",
        "Whoever is on call asks from the command line, with a policy that never gets a token.",
        downstream.listed,
    ),
)
