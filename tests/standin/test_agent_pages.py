"""The pages for agents: an account's tickets, one with its comments, and a form for another."""

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from local.zendesk.standin import StandIn
from tests import loopback
from tests.loopback import listening
from tests.standin.client import PlainClient

NOTE = "Our worker has seen it."
HOSTILE = "<script>alert(1)</script> & <b>bold</b>"


def opened(zendesk: StandIn, path: str = "", subdomain: str = "acme") -> requests.Response:
    """Open a page."""
    return requests.get(f"{zendesk.url(subdomain)}/agent/tickets{path}", timeout=10)


def added(zendesk: StandIn, **fields: str) -> requests.Response:
    """Send the form, and follow nothing."""
    url = f"{zendesk.url('acme')}/agent/tickets"
    return requests.post(url, data=fields, timeout=10, allow_redirects=False)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Give a page without scripts."""
    context = chromium.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_a_note_is_seen(zendesk: StandIn, client: PlainClient, page: Page) -> None:
    """Proves that a note which came over the API is counted in the list and marked in the ticket."""
    token = client.pair(scope="tickets:write")["access_token"]
    note = {"ticket": {"comment": {"body": NOTE, "public": False}}}
    assert client.api(token, "tickets/1.json", method="PUT", json=note).status_code == 200
    page.goto(f"{zendesk.url('acme')}/agent/tickets")
    expect(page.locator("#ticket-1")).to_have_text("Where is my parcel? 1 internal note")
    page.get_by_role("link", name="Where is my parcel?").click()
    expect(page.get_by_role("heading", name="Where is my parcel?")).to_be_visible()
    expect(page.locator("li.internal")).to_contain_text("Internal note: the requester does not see it")
    expect(page.locator("li.internal")).to_contain_text(NOTE)
    expect(page.locator("li:not(.internal)")).to_contain_text("It should have come on Monday.")


def test_a_ticket_is_added_and_told_of(zendesk: StandIn, page: Page) -> None:
    """Proves that the form leads to the new ticket, and that the account's webhook hears of it as of any other."""
    with listening() as receiver:
        receiver.say(loopback.answer(204, b""))
        zendesk.add_webhook("acme", receiver.address)
        page.goto(f"{zendesk.url('acme')}/agent/tickets")
        page.get_by_label("Subject").fill("Late")
        page.get_by_label("Text").fill("Still nothing.")
        page.get_by_role("button", name="Add the ticket").click()
        expect(page.get_by_role("heading", name="Late")).to_be_visible()
        zendesk.webhooks.settle()
    assert page.url == f"{zendesk.url('acme')}/agent/tickets/3"
    assert [one.statuses for one in zendesk.webhooks.invocations] == [[204]]
    page.get_by_role("link", name="All tickets").click()
    expect(page.locator("ul.people li").first).to_have_text("Late new")


@pytest.mark.parametrize("fields", [{}, {"subject": "Late", "body": " "}, {"body": "Still nothing."}])
def test_a_ticket_needs_both(zendesk: StandIn, fields: dict[str, str]) -> None:
    """Proves that half a ticket is refused on the same page, and none is added."""
    answer = added(zendesk, **fields)
    assert (answer.status_code, "needs a subject and a text" in answer.text) == (400, True)
    assert len(zendesk.accounts.get("acme").tickets) == 2


def test_what_people_write_is_text(zendesk: StandIn) -> None:
    """Proves that nothing in a subject, a text or a note is taken as HTML, on either page."""
    location = added(zendesk, subject=HOSTILE, body=HOSTILE).headers["Location"]
    zendesk.accounts.get("acme").add_comment(3, HOSTILE, "2026-01-05T09:00:00Z", public=False)
    assert location.endswith("/acme/agent/tickets/3")
    for path in ("", "/3"):
        assert "<script" not in opened(zendesk, path).text
        assert (
            "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;bold&lt;/b&gt;"
            in opened(zendesk, path).text
        )


@pytest.mark.parametrize("path", ["", "/1", "/99"])
def test_the_pages_allow_no_script(zendesk: StandIn, path: str) -> None:
    """Proves that each has the policy and the headers of the other pages."""
    headers = opened(zendesk, path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert headers["Cache-Control"] == "no-store"


def test_what_is_not_there_is_a_page(zendesk: StandIn) -> None:
    """Proves that an unknown ticket and an account that is gone are 404, each with its page."""
    assert (opened(zendesk, "/99").status_code, "No ticket here" in opened(zendesk, "/99").text) == (
        404,
        True,
    )
    zendesk.delete_account("acme")
    assert (opened(zendesk).status_code, "No account here" in opened(zendesk).text) == (404, True)
    assert added(zendesk, subject="Late", body="Still nothing.").status_code == 404
