"""Every event of `events/`, through the real handler: what it is there to show is what it shows."""

from collections.abc import Callable

import pytest

from local.sam import example_installs as examples
from local.sam.expected import EVENTS, Shown, mode_of
from local.zendesk.standin import StandIn
from tests.handlers.aws import Aws
from tests.handlers.codes import with_fresh_code
from tests.handlers.gateway import Handler
from tests.handlers.payloads import event_names, load_event

SHOWN = {name: shown for name, shown in EVENTS.items() if isinstance(shown, Shown)}
APART = ("connections/", "refresh/", "publish/", "revoke/")
HERE = [name for name in SHOWN if not name.startswith(APART)]


def test_every_event_is_shown_here() -> None:
    """Every file of `events/` has a row that says what it shows, and every row has a file."""
    assert set(event_names()) == set(EVENTS)


@pytest.mark.parametrize("name", HERE)
def test_event(name: str, aws: Aws, zendesk: StandIn, build: Callable[..., Handler]) -> None:
    """Each event leads to the status, the answer and the row that it is named for."""
    shown = SHOWN[name]
    handler = build(name.partition("/")[0], START_MODE=mode_of(name))
    event = load_event(name)
    if shown.became == "connected" and name.startswith("callback/"):
        event = with_fresh_code(event, zendesk)

    answers = [handler(event, None)]
    if name == "callback/replayed":
        answers.append(handler(event, None))

    for answer in answers:
        assert answer["statusCode"] == shown.status
        assert shown.text in answer["body"]
        assert shown.location in answer["headers"].get("Location", "")
        assert answer["body"] == answers[0]["body"]
    if shown.letter:
        assert aws.row(examples.install_id(shown.letter))["status"]["S"] == shown.became


def test_a_schedule_revokes_a_candidate_nobody_confirmed(
    aws: Aws, zendesk: StandIn, build: Callable[..., Handler]
) -> None:
    """The scheduled event revokes the token of an unconfirmed candidate at Zendesk and erases it here."""
    aws.change(
        examples.install_id("A"), invitation_fingerprint={"S": "f"}, return_to={"S": examples.RETURN_TO}
    )
    build("callback", START_MODE="confirmed")(with_fresh_code(load_event("callback/allowed"), zendesk), None)
    assert len(zendesk.alive("acme")) == 1
    aws.change(examples.install_id("A"), revoke_at={"N": "1"})

    answer = build("revoke")(load_event("revoke/scheduled"), Context())

    row = aws.row(examples.install_id("A"))
    assert answer == {"ended": 1}
    assert zendesk.alive("acme") == []
    assert (row["status"]["S"], row["revocation"]["S"]) == ("abandoned", "revoked")
    assert "access_token" not in row


class Context:
    """What Lambda tells the function: a minute is left."""

    def get_remaining_time_in_millis(self) -> int:
        """Return a minute."""
        return 60_000
