"""Authorization codes that the stand-in really gave: the one in `events/` is only an example."""

from typing import Any

from local.sam import example_installs as examples
from local.zendesk.person import approve
from local.zendesk.standin import StandIn
from tests.handlers.aws import BASE_URL
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.services.authorization_request import BrowserBinding, authorization_url

CODE = "b1c2d3e4f5a6978869504132231405f6"
"""The example code of `events/callback/`."""


def fresh_code(zendesk: StandIn, letter: str = "A", role: str = "admin") -> str:
    """Return a code that somebody of this role has just allowed, for the example's own challenge."""
    binding = BrowserBinding(examples.state(letter), examples.browser(letter))
    endpoints = Endpoints(zendesk.base_url, BASE_URL)
    url = authorization_url(examples.pending(letter), binding, "zdg-example", endpoints)
    return approve(url, role).partition("code=")[2].partition("&")[0]


def with_fresh_code(
    event: dict[str, Any], zendesk: StandIn, letter: str = "A", role: str = "admin"
) -> dict[str, Any]:
    """Return the event with such a code in the place of the example's."""
    return event | {
        "rawQueryString": event["rawQueryString"].replace(CODE, fresh_code(zendesk, letter, role))
    }
