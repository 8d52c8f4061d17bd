"""Every event of `events/`, through the real handler: what it is there to show is what it shows."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from local.zendesk.standin import StandIn
from tests.handlers import examples
from tests.handlers.aws import Aws
from tests.handlers.codes import with_fresh_code
from tests.handlers.gateway import Handler
from tests.handlers.payloads import event_names, load_event


@dataclass(frozen=True)
class Shown:
    """What an event is expected to show: the status, a piece of the answer, and what its install then is."""

    status: int
    text: str = ""
    location: str = ""
    letter: str = ""
    became: str = ""
    mode: str = "open"


SHOWN = {
    "start/acme": Shown(302, location="/acme/oauth/authorizations/new?response_type=code"),
    "start/no-subdomain": Shown(200, "Zendesk subdomain"),
    "start/bad-subdomain": Shown(400, "This is not a Zendesk subdomain."),
    "start/pasted-url": Shown(302, location="/acme/oauth/authorizations/new?"),
    "start/unknown-grant": Shown(400, "unknown_grant"),
    "start/foreign-return-to": Shown(400, "return_to_refused"),
    "start/ninth-tab": Shown(302, location="/acme/oauth/authorizations/new?"),
    "start/invitation": Shown(302, location="/acme/", letter="D", became="pending", mode="confirmed"),
    "start/invitation-without-subdomain": Shown(
        200, "Zendesk subdomain", letter="H", became="offered", mode="confirmed"
    ),
    "start/invitation-scanner": Shown(
        200, ">Continue</button>", letter="D", became="offered", mode="confirmed"
    ),
    "start/continue": Shown(303, location="/acme/", letter="D", became="pending", mode="confirmed"),
    "start/head": Shown(405),
    "start/prefetch": Shown(403, "prefetch_refused"),
    "callback/allowed": Shown(200, "Zendesk is connected", letter="A", became="connected"),
    "callback/replayed": Shown(200, "Zendesk is connected", letter="A", became="connected"),
    "callback/no-cookie": Shown(400, "state_rejected", letter="A", became="pending"),
    "callback/another-browser": Shown(400, "state_rejected", letter="A", became="pending"),
    "callback/wrong-state": Shown(400, "state_rejected", letter="A", became="pending"),
    "callback/wrong-issuer": Shown(400, "state_rejected", letter="A", became="pending"),
    "callback/denied": Shown(200, "Not connected", letter="B", became="denied"),
    "callback/denied-without-state": Shown(200, "go back to where you started", letter="B", became="pending"),
    "callback/provider-error": Shown(400, "invalid_scope", letter="C", became="failed"),
    "callback/code-and-error": Shown(400, "malformed_callback", letter="A", became="pending"),
    "callback/repeated-code": Shown(400, "malformed_request", letter="A", became="pending"),
    "callback/invalid-utf8": Shown(400, "malformed_request", letter="A", became="pending"),
    "callback/in-progress": Shown(200, "Connecting…", letter="G", became="exchanging"),
    "callback/over": Shown(410, "over", letter="I", became="pending"),
    "callback/post": Shown(405, letter="A", became="pending"),
    "installs/invite": Shown(201, '"start_url"', mode="confirmed"),
    "installs/invite-malformed": Shown(400, '"malformed_request"', mode="confirmed"),
    "installs/get": Shown(405, mode="confirmed"),
    "installs/confirm": Shown(200, '"connected"', letter="E", became="connected", mode="confirmed"),
    "installs/confirm-base64": Shown(200, '"connected"', letter="E", became="connected", mode="confirmed"),
    "installs/confirm-stranger": Shown(
        403, "confirmation_rejected", letter="E", became="candidate", mode="confirmed"
    ),
}
ELSEWHERE = {"revoke/scheduled"}
APART = ("connections/", "refresh/", "publish/")


def test_every_event_is_shown_here() -> None:
    """No event lies in `events/` unused, and none is missing; functions in APART have such a test of their own."""
    here = {name for name in event_names() if not name.startswith(APART)}
    assert here == set(SHOWN) | ELSEWHERE


@pytest.mark.parametrize("name", SHOWN)
def test_event(name: str, aws: Aws, zendesk: StandIn, build: Callable[..., Handler]) -> None:
    """Each event leads to the status, the answer and the row that it is named for."""
    shown = SHOWN[name]
    handler = build(name.partition("/")[0], START_MODE=shown.mode)
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
