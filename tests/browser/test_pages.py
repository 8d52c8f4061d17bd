"""The pages in a browser, as people meet them: readable, in both lights and sizes, by keyboard and without a script."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.handlers.flow import Flow
from tests.handlers.gateway import Gateway
from tests.pages.catalogue import PAGES

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
SIZES = {"phone": (375, 740), "desktop": (1280, 800)}
LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, level AA; for large text 3 would do, and none of ours needs that."""
LEAST_OUTLINE = 3.0
"""WCAG 2.2, success criterion 1.4.11, for what shows where the focus and a field are."""

TEXT_COLOURS = """() => {
  const painter = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (colour) => {
    painter.clearRect(0, 0, 1, 1);
    painter.fillStyle = colour;
    painter.fillRect(0, 0, 1, 1);
    return [...painter.getImageData(0, 0, 1, 1).data];
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = rgb(getComputedStyle(one).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim())
      found.push([walker.currentNode.data.trim(), rgb(getComputedStyle(element).color), ground(element)]);
  }
  for (const mark of document.querySelectorAll('.mark'))
    found.push(['mark', rgb(getComputedStyle(mark).color), ground(mark)]);
  for (const field of document.querySelectorAll('input:not([type=hidden])'))
    found.push(['placeholder', rgb(getComputedStyle(field, '::placeholder').color), ground(field)]);
  return found;
}"""


@pytest.fixture(scope="module", autouse=True)
def served(gateway: Gateway) -> None:
    """Serve each page with its own headers at /pages/<name>."""
    gateway.routes["/pages/"] = lambda event, _: PAGES[path_of(event).rpartition("/")[2]].as_payload()


def path_of(event: Any) -> str:
    """Return the path of an event."""
    path: str = event["rawPath"]
    return path


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Give a page of a fresh browser context on a phone."""
    context = chromium.new_context(viewport={"width": 375, "height": 740})
    yield context.new_page()
    context.close()


def contrast(first: list[int], second: list[int]) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, relative luminance)."""

    def luminance(colour: list[int]) -> float:
        parts = [part / 255 for part in colour[:3]]
        red, green, blue = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted([luminance(first), luminance(second)], reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("light", ["light", "dark"])
def test_every_page_is_readable(chromium: Browser, gateway: Gateway, light: Any, size: str) -> None:
    """In this light and size: the policy refuses nothing, nothing overflows, all text has the contrast of AA."""
    width, height = SIZES[size]
    context = chromium.new_context(color_scheme=light, viewport={"width": width, "height": height})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for name, response in PAGES.items():
        page.goto(f"{gateway.address}/pages/{name}")
        page.screenshot(path=SCREENSHOTS / f"{name}-{light}-{size}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        colours = page.evaluate(TEXT_COLOURS)
        assert len(colours) >= 4
        weak = [
            (text, contrast(ink, ground))
            for text, ink, ground in colours
            if contrast(ink, ground) < LEAST_CONTRAST
        ]
        assert weak == []
        # Chromium itself notes a page's status of 400 and above; anything else would be a complaint of the policy.
        expected = [
            text for text in complaints if "Failed to load resource" in text and response.status >= 400
        ]
        assert complaints == expected
        complaints.clear()
    context.close()


@pytest.mark.parametrize("light", ["light", "dark"])
def test_the_field_and_its_focus_are_seen(chromium: Browser, gateway: Gateway, light: Any) -> None:
    """The field's border and the ring of the focus stand out from the card."""
    context = chromium.new_context(color_scheme=light)
    page = context.new_page()
    page.goto(f"{gateway.address}/pages/form")
    colours = page.evaluate(
        """() => ['.field', '.field:focus-within'].map((selector) => {
          const style = getComputedStyle(document.querySelector(selector));
          const card = getComputedStyle(document.querySelector('.card'));
          return [style.borderTopColor, style.outlineColor, card.backgroundColor]
            .map((colour) => colour.match(/[0-9]+/g).map(Number));
        })"""
    )
    for border, ring, card in colours:
        assert min(contrast(border, card), contrast(ring, card)) >= LEAST_OUTLINE
    context.close()


def test_the_form_is_used_by_keyboard_alone(page: Page, gateway: Gateway) -> None:
    """The field has the focus at once; typing and Enter lead to Zendesk, which is of another origin than the form."""
    zendesk = gateway.address.replace("localhost", "127.0.0.1") + "/zendesk/{subdomain}"
    gateway.routes["/oauth/start"] = Flow(base_url=gateway.address, zendesk_base_url=zendesk).start
    gateway.routes["/zendesk/"] = lambda _, __: PAGES["connected"].as_payload()
    page.goto(f"{gateway.address}/oauth/start?return_to=https://other.example.com/x")
    expect(page.get_by_label("Zendesk subdomain")).to_be_focused()
    page.keyboard.type("Acme")
    page.keyboard.press("Enter")
    page.wait_for_url("**/zendesk/acme/oauth/authorizations/new?**")
    assert gateway.queries("/oauth/start")[-1] == {
        "grant": "default",
        "return_to": "https://other.example.com/x",
        "subdomain": "Acme",
    }


def test_the_focus_goes_through_the_page_and_is_seen(page: Page, gateway: Gateway) -> None:
    """Tab leads from the field to the button to the help, and each shows that it has the focus."""
    page.goto(f"{gateway.address}/pages/form")
    seen = []
    for _ in range(3):
        seen.append(
            page.evaluate(
                """() => {
                  const element = document.activeElement;
                  const shown = element.tagName === 'INPUT' ? element.parentElement : element;
                  return [element.tagName, parseFloat(getComputedStyle(shown).outlineWidth)];
                }"""
            )
        )
        page.keyboard.press("Tab")
    assert seen == [["INPUT", 3], ["BUTTON", 3], ["A", 3]]


def test_an_empty_field_is_not_sent(page: Page, gateway: Gateway) -> None:
    """The browser itself asks for the field, without a script of ours."""
    page.goto(f"{gateway.address}/pages/form")
    page.get_by_role("button", name="Continue to Zendesk").click()
    assert page.url.endswith("/pages/form")


def test_the_field_is_named_and_described(page: Page, gateway: Gateway) -> None:
    """Assistive software hears label, error and hint."""
    page.goto(f"{gateway.address}/pages/form-error")
    field = page.get_by_role("textbox", name="Zendesk subdomain")
    assert field.get_attribute("aria-invalid") == "true"
    snapshot = page.locator("main").aria_snapshot()
    assert "This is not a Zendesk subdomain." in snapshot


def test_whoever_wants_less_motion_has_none(chromium: Browser, gateway: Gateway) -> None:
    """The turning mark stands still where motion is unwanted."""
    for motion, expected in (("reduce", "none"), ("no-preference", "turn")):
        context = chromium.new_context(reduced_motion=motion)  # type: ignore[arg-type]  # a literal, by a loop
        page = context.new_page()
        page.goto(f"{gateway.address}/pages/in-progress")
        assert (
            page.evaluate("getComputedStyle(document.querySelector('.mark svg')).animationName") == expected
        )
        context.close()


def test_a_page_in_progress_looks_again_by_itself(page: Page, gateway: Gateway) -> None:
    """Two seconds later the same address is asked again, without a script."""
    answers = [PAGES["in-progress"], PAGES["connected"]]
    gateway.routes["/looking"] = lambda _, __: answers.pop(0).as_payload()
    page.goto(f"{gateway.address}/looking")
    page.get_by_role("heading", name="Zendesk is connected").wait_for(timeout=10_000)
    assert answers == []


def test_the_pages_work_without_scripts(chromium: Browser, gateway: Gateway) -> None:
    """With scripts turned off the form is the same form."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{gateway.address}/pages/form")
    assert page.get_by_role("button", name="Continue to Zendesk").is_enabled()
    context.close()
