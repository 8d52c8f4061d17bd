"""The pages as text: whole, escaped, without a script or anything from elsewhere, and allowed by their own policy."""

import hashlib
import re
from base64 import b64encode
from html.parser import HTMLParser

import pytest

from tests.pages.catalogue import PAGES, SETTINGS
from zendesk_oauth.errors import StateRejectedError
from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.web.pages.problem import problem_page
from zendesk_oauth.web.statuses import problem_of

VOID = {"meta", "input", "br", "link"}


class Outline(HTMLParser):
    """Collects tags and attributes, and sees that what is opened is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """See that it is the innermost one."""
        assert self.open.pop() == tag

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_brings_nothing_along(name: str) -> None:
    """Tags balance; there is no script, no inline style, no handler, and no address that would be loaded."""
    outline = Outline(PAGES[name].body)
    assert outline.open == []
    tags = {tag for tag, _ in outline.tags}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "base", "font", "video"}
    for _, attributes in outline.tags:
        assert not [one for one in attributes if one.startswith("on") or one in {"style", "src", "srcset"}]
    assert "$" not in re.sub(r"<style>.*?</style>", "", PAGES[name].body, flags=re.DOTALL)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_is(name: str) -> None:
    """Language, viewport, robots, one heading and a title are there."""
    outline = Outline(PAGES[name].body)
    assert outline.attributes("html") == [{"lang": "en"}]
    metas = {meta.get("name"): meta.get("content") for meta in outline.attributes("meta")}
    assert metas["viewport"] == "width=device-width, initial-scale=1"
    assert metas["robots"] == "noindex"
    assert (
        len(outline.attributes("h1"))
        == len(outline.attributes("main"))
        == len(outline.attributes("title"))
        == 1
    )


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_allows_exactly_this_style(name: str) -> None:
    """The hash in the policy is that of the bytes between the style tags, as a browser computes it."""
    [style] = re.findall(r"<style>(.*?)</style>", PAGES[name].body, flags=re.DOTALL)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in PAGES[name].headers["Content-Security-Policy"]


def test_the_field_is_described_by_its_hint_and_its_error() -> None:
    """Whoever hears the page learns what is wrong with the field, and where to find the subdomain."""
    for name, described in (("form", "subdomain-hint"), ("form-error", "subdomain-error subdomain-hint")):
        outline = Outline(PAGES[name].body)
        [field] = [one for one in outline.attributes("input") if one.get("type") != "hidden"]
        ids = {attributes.get("id") for _, attributes in outline.tags}
        assert field["aria-describedby"] == described
        assert set(described.split()) <= ids
        assert {"for": "subdomain"} in outline.attributes("label")
        assert ("aria-invalid" in field) == (name == "form-error")


def test_only_a_page_that_waits_looks_again() -> None:
    """No page but the one in progress refreshes itself."""
    assert [name for name, page in PAGES.items() if "Refresh" in page.headers] == ["in-progress"]


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("connected", 200, "acme.zendesk.com is now connected to Example &amp; Sons"),
        ("denied", 200, "Nothing has changed"),
        ("failed-role", 403, "Only an admin"),
        ("failed-client", 502, "Its operator has to look into it"),
        ("failed-unavailable", 503, "Zendesk cannot be reached"),
        ("failed-store", 503, "We cannot store this"),
        ("failed-interrupted", 500, "interrupted on our side"),
        ("over", 410, "is over"),
    ],
)
def test_each_outcome_has_its_words(name: str, status: int, words: str) -> None:
    """What happened is said plainly, with the status that belongs to it."""
    assert (PAGES[name].status, words in PAGES[name].body) == (status, True)


def test_a_page_without_settings_still_tells() -> None:
    """Where the deployment is set up wrongly, the page has no company and no address, and is a page all the same."""
    body = problem_page(PageSettings("", ""), problem_of(StateRejectedError("x")), "reference").body
    assert Outline(body).open == []
    assert "<footer>" not in body


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("help@example.com", "mailto:help@example.com"),
        ("https://example.com/?a&b", "https://example.com/?a&amp;b"),
    ],
)
def test_help_is_an_address_or_a_page(address: str, url: str) -> None:
    """The support address may be either, and is escaped."""
    page = problem_page(PageSettings("<b>", address), problem_of(StateRejectedError("x")), "reference")
    assert f'href="{url}"' in page.body
    assert "Contact &lt;b&gt;" in page.body
    assert "state_rejected · reference" in page.body


def test_success_needs_no_code() -> None:
    """A support code stands only where something is wrong."""
    assert [name for name, page in PAGES.items() if "<code>" in page.body] == [
        name for name, page in PAGES.items() if name.startswith(("failed", "over", "problem"))
    ]
    assert SETTINGS.support_address in PAGES["connected"].body
