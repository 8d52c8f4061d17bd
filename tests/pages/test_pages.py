"""The pages as text: whole, escaped, without a script or anything from elsewhere, and allowed by their own policy."""

import hashlib
import re
import string
from base64 import b64encode
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pages.catalogue import INVITING, PAGES, SETTINGS, START
from zendesk_oauth.errors import (
    CallbackError,
    RequestError,
    StateRejectedError,
    SubdomainRefusedError,
    ZendeskOAuthError,
)
from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.services.start_install import SubdomainNeeded
from zendesk_oauth.web.pages.form import form_page
from zendesk_oauth.web.pages.message import Message, message_page
from zendesk_oauth.web.pages.problem import problem_page
from zendesk_oauth.web.statuses import problem_of


def kinds(root: type[ZendeskOAuthError]) -> Iterator[type[ZendeskOAuthError]]:
    """Yield a kind of error and all below it that need no more than a message."""
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


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
        ("failed-account", 404, "no account at this subdomain. Please check it"),
        ("failed-client", 502, "Its operator has to look into it"),
        ("failed-unavailable", 503, "Zendesk cannot be reached"),
        ("failed-store", 503, "Our database does not answer"),
        ("failed-interrupted", 500, "interrupted on our side"),
        ("over", 410, "This install has expired"),
    ],
)
def test_each_outcome_has_its_words(name: str, status: int, words: str) -> None:
    """What happened is said plainly, with the status that belongs to it."""
    assert (PAGES[name].status, words in PAGES[name].body) == (status, True)


def test_a_page_without_settings_still_tells() -> None:
    """Where the deployment is set up wrongly, the page has no company and no address, and is a page all the same."""
    body = problem_page(PageSettings("", ""), problem_of(StateRejectedError("x")), "reference").body
    assert Outline(body).open == []
    assert "mailto:" not in body
    assert "state_rejected · reference" in body
    assert "<footer>" not in message_page(PageSettings("", ""), Message(200, "connected", "t", "x")).body


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


STEPS = {
    "denied": ["Try again", "Back to Example & Sons"],
    "denied-without-state": ["Start again", "Back to Example & Sons"],
    "failed-role": ["Back to Example & Sons"],
    "failed-account": ["Enter another subdomain"],
    "failed-client": ["Contact Example & Sons", "Back to Example & Sons"],
    "failed-unavailable": ["Try again"],
    "failed-store": ["Try again"],
    "failed-interrupted": ["Try again"],
    "over": ["Try again"],
    "problem": ["Start again", "Back to Example & Sons"],
    "problem-grant": ["Start again", "Back to Example & Sons"],
    "problem-invitation-required": ["Back to Example & Sons"],
    "problem-invitation-rejected": ["Back to Example & Sons"],
    "problem-continue": ["Back to Example & Sons"],
    "problem-prefetch": ["Open this page"],
    "problem-store": ["Try again", "Start again", "Back to Example & Sons"],
    "problem-configuration": [],
}


@pytest.mark.parametrize("name", STEPS)
def test_each_page_offers_the_step_that_can_work(name: str) -> None:
    """No dead ends: the first step is the one that can help this reader, and whom to ask is always there."""
    html = PAGES[name].body
    links = [unescape(text) for text in re.findall(r'<a class="\w+" href="[^"]*">([^<]+)</a>', html)]
    assert links == STEPS[name]
    assert re.search(r'href="mailto:help@example.com"', html) or "Please name this code" in html


def test_every_page_that_ends_badly_is_listed_with_its_step() -> None:
    """A new page cannot be forgotten."""
    ended = {name for name, page in PAGES.items() if page.status >= 400 and not name.startswith("form")}
    assert ended | {"denied", "denied-without-state"} == set(STEPS)


def test_an_admin_is_sent_a_link_and_nobody_is_told_to_try_again() -> None:
    """Another Allow by the same user cannot work: the page shows the address that an admin has to open."""
    body = PAGES["failed-role"].body
    assert f'<code class="copied">{START}?subdomain=acme&amp;grant=default</code>' in body
    assert "Try again" not in body


@pytest.mark.parametrize("kind", [*kinds(RequestError), *kinds(CallbackError)], ids=lambda kind: kind.code)
def test_every_refusal_leads_on(kind: type[ZendeskOAuthError]) -> None:
    """Whatever is refused, in either mode its page has a link that leads somewhere else than to the same refusal."""
    for settings in (SETTINGS, INVITING):
        page = problem_page(settings, problem_of(kind("x")), "reference")
        assert '<a class="button"' in page.body


@pytest.mark.parametrize("kind", list(kinds(ZendeskOAuthError)), ids=lambda kind: kind.code)
def test_no_failed_read_speaks_of_storing(kind: type[ZendeskOAuthError]) -> None:
    """The same error comes from reads and writes, so its words fit both."""
    assert not re.search(r"\bstor|\bsav", kind.public_message)


def test_the_form_keeps_what_was_typed() -> None:
    """The value is in the field again; a placeholder of a program is not."""
    [kept] = [one for one in Outline(PAGES["form-error"].body).attributes("input") if one.get("id")]
    [empty] = [one for one in Outline(PAGES["form-missing"].body).attributes("input") if one.get("id")]
    assert (kept["value"], empty["value"]) == ("Acme Corp", "")


@given(st.text(max_size=140) | st.text(string.printable, max_size=140) | st.from_regex(r"[\w .:/@-]{0,140}"))
def test_only_harmless_text_is_kept(typed: str) -> None:
    """The page is that of an empty field, or has the very text in its value: a name or an address of 1 to 128."""
    page = form_page(SETTINGS, START, SubdomainNeeded("default"), SubdomainRefusedError("x"), typed)
    empty = form_page(SETTINGS, START, SubdomainNeeded("default"), SubdomainRefusedError("x")).body
    harmless = string.ascii_letters + string.digits + " ._:/@-"
    kept = typed if 0 < len(typed) <= 128 and set(typed) <= set(harmless) else ""
    assert page.body == empty.replace('placeholder="acme" value=""', f'placeholder="acme" value="{kept}"')
