"""The headers that stand on every answer of ours, errors too."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.doubles.in_memory_stores import Fault
from tests.handlers.flow import SITE_URL, Browser, Flow
from tests.handlers.payloads import api_event
from zendesk_oauth.models.install import StartMode

ALWAYS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}


def flow() -> Flow:
    """Return a deployment in open mode."""
    return Flow()


def started() -> Any:
    """Return the redirect to Zendesk."""
    return Browser(flow()).start()


def form() -> Any:
    """Return the form."""
    return Browser(flow()).start("")


def form_with_error() -> Any:
    """Return the form with an error."""
    return Browser(flow()).start("subdomain=-")


def refused() -> Any:
    """Return an error page."""
    return Browser(flow()).start("subdomain=acme&grant=none")


def method() -> Any:
    """Return a 405."""
    return flow().start(api_event("POST", "/oauth/start"), None)


def crashed() -> Any:
    """Return the 500 of an exception nobody expected."""
    broken = flow()
    broken.installs_store.put_if_absent = None  # type: ignore[method-assign,assignment]  # a bug, by assignment
    return Browser(broken).start()


def unavailable() -> Any:
    """Return the 503 of a store that does not answer."""
    busy = flow()
    busy.installs_store.faults["put_if_absent"] = [Fault.REFUSED]
    return Browser(busy).start()


def connected() -> Any:
    """Return the page of a connection."""
    browser = Browser(flow())
    return browser.callback(code="c", state=browser.begin())


def returned() -> Any:
    """Return the way back after a connection."""
    browser = Browser(Flow(site_url=SITE_URL))
    return browser.callback(code="c", state=browser.begin())


def denied() -> Any:
    """Return the page of a denial."""
    browser = Browser(flow())
    return browser.callback(error="access_denied", state=browser.begin())


def invited() -> Any:
    """Return an invitation as JSON."""
    confirmed = Flow(mode=StartMode.CONFIRMED, site_url=SITE_URL)
    return confirmed.installs(api_event("POST", "/invitations", body='{"user":"u"}'), None)


def continued() -> Any:
    """Return the page that asks before an invitation is used up."""
    confirmed = Flow(mode=StartMode.CONFIRMED, site_url=SITE_URL)
    return Browser(confirmed).start(f"invitation={'A' * 22}.{'a' * 43}", sec_fetch_mode="")


def json_error() -> Any:
    """Return an error as JSON."""
    return flow().installs(api_event("POST", "/invitations", body="{}"), None)


def nowhere() -> Any:
    """Return a 404 as JSON."""
    return flow().installs(api_event("POST", "/elsewhere", body="{}"), None)


ANSWERS: dict[Callable[[], Any], int] = {
    started: 302,
    form: 200,
    form_with_error: 400,
    refused: 400,
    method: 405,
    crashed: 500,
    unavailable: 503,
    connected: 200,
    returned: 303,
    denied: 200,
    continued: 200,
    invited: 201,
    json_error: 400,
    nowhere: 404,
}


@pytest.mark.parametrize(
    ("answer", "status"), ANSWERS.items(), ids=lambda value: getattr(value, "__name__", None)
)
def test_every_kind_of_answer_has_every_header(answer: Callable[[], Any], status: int) -> None:
    """Pages, redirects, JSON and errors are private, unframed, unsniffed, closed to other origins, and load nothing."""
    payload = answer()
    headers = payload["headers"]
    assert payload["statusCode"] == status
    assert {name: headers[name] for name in ALWAYS} == ALWAYS
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert (policy["default-src"], policy["base-uri"], policy["frame-ancestors"]) == ("'none'",) * 3
    assert not {"script-src", "img-src", "connect-src"} & policy.keys()
    assert not any(name.lower().startswith(("access-control-", "server", "x-powered")) for name in headers)
    assert "charset" in headers["Content-Type"] or headers["Content-Type"] == "application/json"
    assert payload["isBase64Encoded"] is False


@pytest.mark.parametrize("answer", [form, form_with_error, continued])
def test_the_form_may_lead_to_zendesk(answer: Callable[[], Any]) -> None:
    """Chromium applies `form-action` to the redirects after a form, so a page with a form must not have it."""
    assert "form-action" not in answer()["headers"]["Content-Security-Policy"]


@pytest.mark.parametrize(
    "answer", [started, refused, method, crashed, connected, returned, denied, invited, json_error]
)
def test_elsewhere_no_form_leads_anywhere(answer: Callable[[], Any]) -> None:
    """Pages without a form forbid any."""
    assert "form-action 'none'" in answer()["headers"]["Content-Security-Policy"]
