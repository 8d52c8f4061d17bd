"""The pages in a real browser: pressed by role and name, by keyboard alone, light and dark, wide and narrow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from local.zendesk.standin import StandIn
from tests.standin.client import PlainClient, answered

type Scheme = Literal["light", "dark"]

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots" / "standin"
WIDE: ViewportSize = {"width": 1100, "height": 760}
NARROW: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Give a page without scripts."""
    context = chromium.new_context(java_script_enabled=False, viewport=WIDE)
    yield context.new_page()
    context.close()


@pytest.fixture
def callback(zendesk: StandIn) -> str:
    """Return a callback on loopback: Playwright cannot answer an address that a redirect leads to."""
    address = f"{zendesk.address}/_elsewhere"
    zendesk.client.register(address)
    return address


def test_allow_is_two_clicks(client: PlainClient, page: Page, callback: str) -> None:
    """Proves that a choice of person and a press of Allow lead to the callback with a code of that person."""
    page.goto(client.authorize_url(redirect_uri=callback))
    page.locator("#person-agent").click()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{callback}?*")
    query = answered(page.url)
    token = client.exchange(query["code"], redirect_uri=callback).json()["access_token"]
    assert client.api(token, "users/me.json").json()["user"]["role"] == "agent"
    assert query["state"] == "id.secret"


def test_deny_by_keyboard(client: PlainClient, page: Page, callback: str) -> None:
    """Proves that all can be done without a mouse, in an order that makes sense."""
    page.goto(client.authorize_url(redirect_uri=callback))
    page.keyboard.press("Tab")
    expect(page.locator("#person-admin")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Allow access?")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Allow")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Deny")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{callback}?*")
    assert answered(page.url)["error"] == "access_denied"


def test_a_wrong_client_stays_here(client: PlainClient, page: Page) -> None:
    """Proves that a wrong client ends at a page of the stand-in's own."""
    page.goto(client.authorize_url(client_id="another"))
    expect(page.get_by_role("heading")).to_have_text("Invalid authorization request")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_looks(zendesk: StandIn, chromium: Browser, viewport: ViewportSize, scheme: Scheme) -> None:
    """Proves that the style is allowed and follows the scheme, nothing runs over, every text has a contrast of 4.5."""
    url = PlainClient(zendesk.address).authorize_url()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    context = chromium.new_context(viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    zendesk.accounts.get("acme").add_comment(1, "Seen by our worker.", "2026-01-05T09:00:00Z", public=False)
    tickets = f"{zendesk.url('acme')}/agent/tickets"
    for name, address in (
        ("sign-in", url),
        ("consent", f"{url}&person=admin"),
        ("tickets", tickets),
        ("ticket", f"{tickets}/1"),
    ):
        page.goto(address)
        page.screenshot(path=SCREENSHOTS / f"{name}-{viewport['width']}-{scheme}.png")
        contrasts = page.evaluate(_CONTRASTS)
        assert len(contrasts) > 4
        assert min(contrasts.values()) >= 4.5, contrasts
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    card = page.locator("main").evaluate("main => getComputedStyle(main).backgroundColor")
    assert card == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(30, 37, 38)")
    expect(page.get_by_text("This is a stand-in, not Zendesk.")).to_be_visible()
    assert [text for text in complaints if "favicon" not in text] == []
    context.close()


_CONTRASTS = """() => {
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const ground = node => {
    const colour = numbers(getComputedStyle(node).backgroundColor);
    return colour.length === 4 && colour[3] === 0 ? ground(node.parentElement) : colour;
  };
  const ratios = {};
  for (const node of document.querySelectorAll('p, strong, h1, h2, li, a, label, input, button, .name, .role')) {
    const [a, b] = [luminance(numbers(getComputedStyle(node).color)), luminance(ground(node))];
    ratios[node.tagName + ' ' + node.className + ' ' + node.id] = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  }
  return ratios;
}"""
