"""An install as a person makes it, in Chromium: our form, the stand-in's Allow and Deny, and our pages again.

Cookies, redirects and the policy are the browser's own business here; AWS is moto, the handlers are the real ones.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from local.zendesk.settings import Settings
from local.zendesk.standin import StandIn
from tests.handlers.aws import CONNECTIONS_TABLE, PROCESS_ENVIRONMENT, Aws, running_aws
from tests.handlers.gateway import Gateway
from tests.handlers.payloads import api_event
from tests.pages.catalogue import PAGES
from tests.unit.web.test_cookies import WHITE_SPACE
from zendesk_oauth.bootstrap import callback, installs, start


@pytest.fixture
def zendesk_settings(gateway: Gateway) -> Settings:
    """Register the gateway's own callback at the stand-in."""
    addresses = (gateway.address, subdomain_address(gateway, "connect"))
    return Settings(redirect_uris=tuple(f"{address}/oauth/callback" for address in addresses))


def subdomain_address(gateway: Gateway, name: str) -> str:
    """Return the gateway under a host name of one site, whose subdomains can set cookies for each other."""
    return f"http://{name}.example.localhost:{gateway.server_port}"


@pytest.fixture
def aws(gateway: Gateway, zendesk: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Give AWS with empty tables, and the handlers behind the gateway."""
    for name, value in PROCESS_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with running_aws() as running:
        environ = running.environ(zendesk.base_url, PUBLIC_BASE_URL=gateway.address, SITE_URL="")
        gateway.routes["/oauth/start"] = start.build(environ)
        gateway.routes["/oauth/callback"] = callback.build(environ)
        yield running


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Give a page of a fresh browser context, which keeps cookies of its own."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def begin(page: Page, gateway: Gateway, subdomain: str = "acme", person: str = "admin") -> None:
    """Fill in the form, and sign in at Zendesk as somebody of this role."""
    page.goto(f"{gateway.address}/oauth/start")
    page.get_by_label("Zendesk subdomain").fill(subdomain)
    page.get_by_role("button", name="Continue to Zendesk").click()
    page.locator(f"#person-{person}").click()


def test_allow(aws: Aws, zendesk: StandIn, gateway: Gateway, page: Page) -> None:
    """From the form over Allow to the page of a connection; a reload shows the same page, for the same token."""
    begin(page, gateway, "https://acme.zendesk.com/agent")
    page.get_by_role("button", name="Allow").click()
    page.get_by_role("heading", name="Zendesk is connected").wait_for()
    first = page.content()
    page.reload()
    assert page.content() == first
    assert len(zendesk.alive("acme")) == 1
    assert [row["connection_key"]["S"] for row in aws.rows(CONNECTIONS_TABLE)] == ["default#acme"]


def test_deny_and_try_again(aws: Aws, gateway: Gateway, page: Page) -> None:
    """Deny shows its page; its button begins anew, and this time Allow connects."""
    begin(page, gateway)
    page.get_by_role("button", name="Deny").click()
    page.get_by_role("heading", name="Not connected").wait_for()
    assert aws.rows(CONNECTIONS_TABLE) == []
    page.get_by_role("link", name="Try again").click()
    page.locator("#person-admin").click()
    page.get_by_role("button", name="Allow").click()
    page.get_by_role("heading", name="Zendesk is connected").wait_for()


def test_the_cookie_is_the_browsers_alone(aws: Aws, gateway: Gateway, page: Page, chromium: Browser) -> None:
    """The cookie is of the host, secure, Lax and out of reach of scripts; another browser is sent away without it."""
    begin(page, gateway)
    [cookie] = page.context.cookies()
    assert cookie["name"].startswith("__Host-install-")
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (
        True,
        True,
        "Lax",
        "/",
    )
    page.get_by_role("button", name="Allow").click()
    page.get_by_role("heading", name="Zendesk is connected").wait_for()

    stranger = chromium.new_context()
    other = stranger.new_page()
    other.goto(page.url)
    other.get_by_text("This answer belongs to another browser").wait_for()
    stranger.close()
    assert len(aws.rows(CONNECTIONS_TABLE)) == 1


def test_two_tabs_both_finish(aws: Aws, gateway: Gateway, page: Page) -> None:
    """Two installs at once in one browser do not disturb each other."""
    tab = page.context.new_page()
    begin(page, gateway, "acme")
    begin(tab, gateway, "globex")
    for one in (page, tab):
        one.get_by_role("button", name="Allow").click()
        one.get_by_role("heading", name="Zendesk is connected").wait_for()
    assert sorted(row["connection_key"]["S"] for row in aws.rows(CONNECTIONS_TABLE)) == [
        "default#acme",
        "default#globex",
    ]


def test_an_end_user_is_told_to_ask_an_admin(
    aws: Aws, zendesk: StandIn, gateway: Gateway, page: Page
) -> None:
    """An end user may press Allow at Zendesk; nothing comes of it, and the page says whom to ask."""
    begin(page, gateway, person="end-user")
    page.get_by_role("button", name="Allow").click()
    page.get_by_text("Only an admin of the Zendesk account").wait_for()
    link = page.locator("code.copied").inner_text()
    admin = page.context.new_page()
    admin.goto(link)
    admin.locator("#person-admin").wait_for()
    assert page.get_by_role("link", name="Try again").count() == 0
    assert (aws.rows(CONNECTIONS_TABLE), zendesk.alive("acme")) == ([], [])


def test_a_wrong_subdomain_is_said_at_the_field(aws: Aws, gateway: Gateway, page: Page) -> None:
    """The form comes back with the error, what was typed, and the focus; a right name then leads on."""
    page.goto(f"{gateway.address}/oauth/start")
    page.get_by_label("Zendesk subdomain").fill("support.acme.example")
    page.keyboard.press("Enter")
    page.get_by_text("This is not a Zendesk subdomain.").wait_for()
    expect(page.get_by_label("Zendesk subdomain")).to_be_focused()
    expect(page.get_by_label("Zendesk subdomain")).to_have_value("support.acme.example")
    page.keyboard.press("Control+A")
    page.keyboard.type("acme")
    page.keyboard.press("Enter")
    page.locator("#person-admin").wait_for()
    assert len(aws.rows("installs")) == 1


PLANT = """([names, value]) => {
  for (const name of names)
    document.cookie = `${name}=${value}; Domain=example.localhost; Path=/; Secure`;
}"""


def test_a_sibling_subdomain_plants_no_cookie_of_ours(
    aws: Aws, zendesk: StandIn, gateway: Gateway, chromium: Browser
) -> None:
    """R38: a sibling sets cookies named white space and `__Host-…`, Chromium sends them, and they finish nothing."""
    address = subdomain_address(gateway, "connect")
    environ = aws.environ(zendesk.base_url, PUBLIC_BASE_URL=address, SITE_URL="")
    gateway.routes["/oauth/start"] = start.build(environ)
    gateway.routes["/oauth/callback"] = callback.build(environ)
    gateway.routes["/plant"] = lambda _, __: PAGES["connected"].as_payload()
    attacker, victim = chromium.new_context(), chromium.new_context()
    own = attacker.new_page()
    own.goto(f"{address}/oauth/start?subdomain=acme")
    [cookie] = attacker.cookies()
    names = [f"{space}{cookie['name']}" for space in ("", *WHITE_SPACE)]
    names += [f"={cookie['name']}", f"={cookie['name']}={cookie['value']}; x"]

    page = victim.new_page()
    page.goto(f"{subdomain_address(gateway, 'evil')}/plant")
    page.evaluate(PLANT, [names, cookie["value"]])
    page.goto(own.url)
    page.locator("#person-admin").click()
    page.get_by_role("button", name="Allow").click()
    page.get_by_text("This answer belongs to another browser").wait_for()

    sent = [text.partition("=")[0] for text in gateway.events[-1]["cookies"]]
    assert len([name for name in sent if name.endswith(cookie["name"])]) >= 20
    assert cookie["name"] not in sent
    assert (aws.rows(CONNECTIONS_TABLE), zendesk.alive("acme")) == ([], [])
    attacker.close()
    victim.close()


@pytest.fixture
def invitation_url(aws: Aws, zendesk: StandIn, gateway: Gateway) -> str:
    """Return the address of an invitation to connect acme, at a deployment that starts by invitation."""
    environ = aws.environ(
        zendesk.base_url,
        PUBLIC_BASE_URL=gateway.address,
        SITE_URL=f"{gateway.address}/settings",
        START_MODE="confirmed",
    )
    gateway.routes["/oauth/start"] = start.build(environ)
    gateway.routes["/oauth/callback"] = callback.build(environ)
    gateway.routes["/settings"] = lambda _, __: PAGES["connected"].as_payload()
    event = api_event("POST", "/invitations", body='{"user": "user-17", "subdomain": "acme"}')
    url: str = json.loads(str(installs.build(environ)(event, None)["body"]))["start_url"]
    return url


def status_of_install(aws: Aws) -> str:
    """Return the status of the one install there is."""
    [row] = aws.rows("installs")
    return str(row["status"]["S"])


def test_a_link_preview_leaves_an_invitation_for_its_person(
    aws: Aws, gateway: Gateway, page: Page, invitation_url: str
) -> None:
    """R40: a program's GET and a script's spend nothing; Chromium's navigation then leads to Zendesk at once."""
    assert "Continue" in page.request.get(invitation_url).text()
    page.set_content(f"<iframe src='{invitation_url}'></iframe><img src='{invitation_url}'>")
    page.wait_for_function("document.querySelector('img').complete")
    page.frames[1].wait_for_load_state()
    opened = [
        event["headers"] for event in gateway.events if invitation_url.endswith(f"?{event['rawQueryString']}")
    ]
    assert sorted(headers.get("sec-fetch-dest", "") for headers in opened) == ["", "iframe", "image"]
    assert status_of_install(aws) == "offered"
    page.goto(invitation_url)
    page.locator("#person-admin").click()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url("**/settings?handle=**")
    assert status_of_install(aws) == "candidate"


def test_a_browser_without_fetch_metadata_continues_by_a_button(
    aws: Aws, gateway: Gateway, page: Page, invitation_url: str
) -> None:
    """The page that asks first leads to Zendesk by keyboard alone, and its policy lets the form's redirect pass."""
    handler = gateway.routes["/oauth/start"]
    gateway.routes["/oauth/start"] = lambda event, context: handler(without_fetch_metadata(event), context)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(invitation_url)
    expect(page.get_by_role("button", name="Continue")).to_be_focused()
    assert status_of_install(aws) == "offered"
    page.keyboard.press("Enter")
    page.locator("#person-admin").click()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url("**/settings?handle=**")
    assert (status_of_install(aws), complaints) == ("candidate", [])


def without_fetch_metadata(event: Any) -> dict[str, Any]:
    """Return the event as a browser from before Fetch Metadata sends it."""
    headers = {name: text for name, text in event["headers"].items() if not name.startswith("sec-fetch-")}
    return dict(event) | {"headers": headers}


def test_another_site_cannot_press_continue(aws: Aws, page: Page, invitation_url: str) -> None:
    """Login CSRF: a stranger's form with a good proof of the stranger's own browser spends nothing in this one."""
    attackers_page = page.request.get(invitation_url).text()
    [proof] = re.findall(r'name="proof" value="([^"]+)"', attackers_page)
    page.context.clear_cookies()
    page.goto("about:blank")
    page.set_content(
        f"<form method=post action='{invitation_url}'><input name=proof value='{proof}'><button>Win</button></form>"
    )
    page.get_by_role("button", name="Win").click()
    page.get_by_text("Please allow cookies for this site").wait_for()
    assert status_of_install(aws) == "offered"
