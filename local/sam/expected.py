"""What every event of `events/` is there to show: the one table that tests, `make sam-local` and the documents follow.

A file whose name ends with `.confirmed` needs a deployment with StartMode `confirmed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

OPEN = "open"
CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Shown:
    """What an HTTP event shows: the status, a part of the body and of the Location, and what its install then is."""

    status: int
    text: str = ""
    location: str = ""
    letter: str = ""
    became: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """What another event shows: these members of what the function returns."""

    members: Mapping[str, object] = field(default_factory=dict)


EVENTS: Mapping[str, Shown | Returned] = {
    "start/acme": Shown(302, location="/acme/oauth/authorizations/new?response_type=code"),
    "start/no-subdomain": Shown(200, "Zendesk subdomain"),
    "start/bad-subdomain": Shown(400, "This is not a Zendesk subdomain."),
    "start/pasted-url": Shown(302, location="/acme/oauth/authorizations/new?"),
    "start/unknown-grant": Shown(400, "unknown_grant"),
    "start/foreign-return-to": Shown(400, "return_to_refused"),
    "start/ninth-tab": Shown(302, location="/acme/oauth/authorizations/new?"),
    "start/invitation.confirmed": Shown(302, location="/acme/", letter="D", became="pending"),
    "start/invitation-without-subdomain.confirmed": Shown(
        200, "Zendesk subdomain", letter="H", became="offered"
    ),
    "start/invitation-scanner.confirmed": Shown(200, ">Continue</button>", letter="D", became="offered"),
    "start/continue.confirmed": Shown(303, location="/acme/", letter="D", became="pending"),
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
    "installs/invite.confirmed": Shown(201, '"start_url"'),
    "installs/invite-malformed.confirmed": Shown(400, '"malformed_request"'),
    "installs/get.confirmed": Shown(405),
    "installs/confirm.confirmed": Shown(200, '"connected"', letter="E", became="connected"),
    "installs/confirm-base64.confirmed": Shown(200, '"connected"', letter="E", became="connected"),
    "installs/confirm-stranger.confirmed": Shown(
        403, "confirmation_rejected", letter="E", became="candidate"
    ),
    "refresh/due": Returned({"outcome": "current"}),
    "refresh/failed": Returned({"outcome": "current"}),
    "refresh/idle": Returned({"outcome": "current"}),
    "refresh/unknown-connection": Returned({"outcome": "not_connected"}),
    "refresh/finish": Returned({"outcome": "finished"}),
    "refresh/finish-replaced": Returned({"outcome": "finished"}),
    "refresh/keep-alive": Returned({"asked": 0}),
    "refresh/unfinished": Returned({"asked": 0}),
    "refresh/rekey": Returned(
        {
            "rows": [
                {
                    "grant": "default",
                    "subdomain": "acme",
                    "outcome": "resealed",
                    "cause": None,
                    "replaced": None,
                }
            ]
        }
    ),
    "refresh/probe": Returned({"outcome": "alive"}),
    "refresh/examine": Returned({"client": "ok"}),
    "refresh/malformed": Returned({"errorType": "MalformedRequestError"}),
    "refresh/rescued": Returned(),
    "connections/list": Shown(200, '"subdomain": "acme"'),
    "connections/show": Shown(200, '"status": "active"'),
    "connections/token": Shown(200, '"token_type": "Bearer"'),
    "connections/token-newer-than": Shown(200, '"generation": 1'),
    "connections/unknown": Shown(404, '"not_connected"'),
    "connections/delete": Shown(202, '"disconnecting"'),
    "revoke/scheduled": Returned({"ended": 0}),
    "publish/denied": Returned({"batchItemFailures": []}),
    "publish/established": Returned({"batchItemFailures": []}),
    "publish/expired": Returned({"batchItemFailures": []}),
    "publish/refused": Returned({"batchItemFailures": []}),
    "publish/unreadable": Returned({"batchItemFailures": []}),
    "publish/malformed": Returned({"errorType": "MalformedRequestError"}),
}
"""What each shows after `make seed`; those of `refresh` and `connections` also in this order after one seed."""
AFTER_ANOTHER = {"callback/replayed": "callback/allowed"}
"""An event that shows what it is named for only after another one."""


def mode_of(name: str) -> str:
    """Return the start mode of the deployment that an event needs."""
    return CONFIRMED if name.endswith(f".{CONFIRMED}") else OPEN
