"""The browser's side of an install: what must be survived, and what must be refused."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from local.sam import example_installs as examples
from tests.doubles.in_memory_stores import Fault
from tests.handlers.flow import SITE_URL, Browser, Flow, Payload, sent_to
from tests.handlers.payloads import api_event
from tests.unit.web.test_cookies import WHITE_SPACE
from zendesk_oauth.errors import (
    AccountNotFoundError,
    ClientRejectedError,
    KeyUnavailableError,
    ProviderUnavailableError,
)
from zendesk_oauth.models.install import StartMode
from zendesk_oauth.models.tokens import AuthorizedUser
from zendesk_oauth.web.callback_query import ERROR_CODES
from zendesk_oauth.web.pages.template import fill

BAD_SUBDOMAINS = [
    "acme@evil.com#",
    "acme.evil",
    "acme。evil",
    "①②③",
    "ⅰ",  # noqa: RUF001 - one of the look-alikes to refuse
    "ac\u200bme",
    "%2e",
    ":443",
    "-a",
    "acme-",
    "a" * 64,
    "xn--acme",
    "аcme",  # noqa: RUF001 - begins with a Cyrillic letter
    "169.254.169.254/x#",
    "acme/../evil",
    "",
]
START_ODD_PARAMETERS = {
    r"subdomain=acme&amp;return_to=/settings": 302,
    r"subdomain=acme&$deep_link=true&~campaign=x": 302,
    r"subdomain=acme&utm[source]=x": 302,
    r"subdomain=acme&q=caf%E9": 302,
    r"subdomain=acme%09": 302,
    r"subdomain=undefined": 400,
    r"subdomain=": 400,
}
"""Queries of links from public bug reports: mail programs, deep links, campaign counters, pages without a value."""
UNKNOWN_PARAMETERS = [
    "amp;x=",
    "$deep_link=1",
    "utm[source]=x",
    "q=caf%E9",
    "a[]=1",
    "a=1&a=2",
    "x=%0d%0ay",
    "%=%",
]
SCRIPTS = [
    template.format(n)
    for n in range(20)
    for template in (
        "<script>alert({})</script>",
        '"><img src=x onerror=alert({})>',
        "'-alert({})-'",
        "javascript:alert({})",
        "</title><svg onload=alert({})>",
        "${{{}}}",
        "$company {}",
        "{{{{{}*7}}}}",
        "&lt;b&gt;{}",
        "\u202egnp.{}",
    )
]


@pytest.fixture
def flow() -> Flow:
    """Return a deployment in open mode."""
    return Flow()


@pytest.fixture
def confirmed() -> Flow:
    """Return a deployment in confirmed mode."""
    return Flow(mode=StartMode.CONFIRMED, site_url=SITE_URL)


def spoil(browser: Browser) -> None:
    """Give the browser's cookies other values."""
    browser.jar = dict.fromkeys(browser.jar, "Z" * 43)


@pytest.mark.parametrize("stranger", ["no cookie", "wrong cookie", "another browser's"])
def test_a_stranger_can_neither_finish_nor_burn_an_install(flow: Flow, stranger: str) -> None:
    """With a good state but not the cookie: 400 and no POST; and the rightful browser can still finish."""
    rightful, other = Browser(flow), Browser(flow)
    state = rightful.begin()
    if stranger == "wrong cookie":
        other.jar = dict(rightful.jar)
        spoil(other)
    elif stranger == "another browser's":
        other.begin()

    refused = other.callback(code="c", state=state)
    assert refused["statusCode"] == 400
    assert flow.zendesk.exchanges == []

    finished = rightful.callback(code="c", state=state)
    assert finished["statusCode"] == 200
    assert len(flow.zendesk.exchanges) == 1


@pytest.mark.parametrize("space", sorted(set(WHITE_SPACE) - set(" \t")), ids=ascii)
def test_a_cookie_that_a_sibling_subdomain_planted_finishes_nothing(confirmed: Flow, space: str) -> None:
    """R38: the attacker's cookie under a name that is ours only after normalization: the victim's Allow is nobody's."""
    attacker, victim = Browser(confirmed), Browser(confirmed)
    invitation = invite(confirmed, '{"user":"attacker","subdomain":"acme"}')
    state = attacker.begin(invitation["body"].partition("start?")[2].partition('"')[0])
    victim.jar = {f"{space}{name}": value for name, value in attacker.jar.items()}
    assert victim.callback(code="c", state=state)["statusCode"] == 400
    assert (confirmed.zendesk.exchanges, confirmed.statuses) == ([], ["pending"])


def test_an_old_state_is_refused_though_it_is_stored(flow: Flow) -> None:
    """After 600 s the install is over, whatever the table still holds."""
    browser = Browser(flow)
    state = browser.begin()
    flow.clock.advance(timedelta(seconds=600))
    payload = browser.callback(code="c", state=state)
    assert (payload["statusCode"], flow.zendesk.exchanges) == (410, [])
    assert "Please start again" in payload["body"]


def test_two_tabs_both_finish(flow: Flow) -> None:
    """Each install has a cookie of its own."""
    browser = Browser(flow)
    states = [browser.begin("subdomain=acme"), browser.begin("subdomain=globex")]
    assert [browser.callback(code="c", state=state)["statusCode"] for state in reversed(states)] == [200, 200]
    assert sorted(flow.connections.rows) == ["default#acme", "default#globex"]


def test_the_ninth_tab_ends_the_first(flow: Flow) -> None:
    """At most eight installs are open in one browser."""
    browser = Browser(flow)
    first, *_ = [browser.begin() for _ in range(9)]
    assert len(browser.jar) == 8
    assert browser.callback(code="c", state=first)["statusCode"] == 400


def test_the_same_address_twice_is_one_exchange_and_one_page(flow: Flow) -> None:
    """Ten openings of one callback: one POST, the same bytes each time."""
    browser = Browser(flow)
    state = browser.begin()
    answers = [browser.callback(code="c", state=state) for _ in range(10)]
    assert len(flow.zendesk.exchanges) == 1
    assert all(answer == answers[0] for answer in answers)
    assert [entry[0].repeated for entry in flow.journal.entries] == [False, False, *[True] * 9]


def test_while_the_first_is_at_work_the_second_looks_again(flow: Flow) -> None:
    """The same address opened during the exchange gives a page with a Refresh header, and holds no function."""
    browser = Browser(flow)
    state = browser.begin()
    seen: list[Any] = []
    flow.zendesk.on_exchange = lambda: seen.append(browser.callback(code="c", state=state))
    browser.callback(code="c", state=state)
    assert seen[0]["statusCode"] == 200
    assert seen[0]["headers"]["Refresh"] == "2"
    assert "Connecting…" in seen[0]["body"]


def test_an_exchange_older_than_a_minute_has_failed(flow: Flow) -> None:
    """Whoever looks after the function has died sees a failure, and is not kept waiting."""
    browser = Browser(flow)
    state = browser.begin()
    flow.zendesk.answer = KeyboardInterrupt()  # type: ignore[assignment]  # the function dies in the middle
    flow.zendesk.on_exchange = lambda: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        browser.callback(code="c", state=state)
    flow.clock.advance(timedelta(seconds=61))
    payload = browser.callback(code="c", state=state)
    assert (payload["statusCode"], "interrupted" in payload["body"]) == (500, True)
    assert "Refresh" not in payload["headers"]


def test_deny_is_an_outcome_with_a_way_to_try_again(flow: Flow) -> None:
    """Deny is recorded, asks nobody for a token, and its page links to a new start built from the record."""
    browser = Browser(flow)
    state = browser.begin(
        "subdomain=acme&grant=reporting&return_to=" + quote("https://other.example.com/x?y=1")
    )
    payload = browser.callback(error="access_denied", state=state, subdomain="evil")
    assert (payload["statusCode"], flow.statuses, flow.zendesk.asked) == (200, ["denied"], [])
    retry = (
        "https://connect.example.com/oauth/start?subdomain=acme&amp;grant=reporting"
        "&amp;return_to=https%3A%2F%2Fother.example.com%2Fx%3Fy%3D1"
    )
    assert f'href="{retry}"' in payload["body"]
    assert 'href="https://other.example.com/x?y=1&amp;result=denied"' in payload["body"]


def test_a_denial_without_state_changes_nothing(flow: Flow) -> None:
    """Nothing proves whose install it was: the page is a neutral one, and no store is asked."""
    browser = Browser(flow)
    browser.begin()
    before = list(flow.installs_store.calls)
    payload = browser.callback(error="access_denied", error_description="no")
    assert (payload["statusCode"], flow.installs_store.calls, flow.statuses) == (200, before, ["pending"])
    assert "acme" not in payload["body"]
    assert flow.journal.entries[-1][0].outcome == "denied_without_state"


@pytest.mark.parametrize("code", sorted(ERROR_CODES - {"access_denied"}))
def test_every_error_code_has_a_neutral_page(flow: Flow, code: str) -> None:
    """An error of RFC 6749 ends the install as failed with that reason; nothing is posted."""
    browser = Browser(flow)
    payload = browser.callback(error=code, state=browser.begin())
    assert (payload["statusCode"], flow.statuses, flow.zendesk.asked) == (400, ["failed"], [])
    assert "Zendesk did not complete the connection." in payload["body"]


@pytest.mark.parametrize("code", ["nonsense", "<b>", "a\u00a0b"])
def test_an_unknown_error_code_is_one_word_of_ours(flow: Flow, code: str) -> None:
    """What Zendesk never said is recorded as unrecognised, and not repeated."""
    browser = Browser(flow)
    payload = browser.callback(error=code, state=browser.begin())
    assert (payload["statusCode"], "unrecognised_error" in payload["body"]) == (400, True)
    assert code not in payload["body"]


@pytest.mark.parametrize(
    "query",
    [
        "code=a&code=b&state={}",
        "code=a&state={}&state={}",
        "error=x&error=y&state={}",
        "code=a&iss=x&iss=y&state={}",
        "code[]=a&state={}",
        "code=a%00&state={}",
        "code=%ff&state={}",
        "code=%ED%A0%80&state={}",
        "code=\ud800&state={}",
        "code=" + "x" * 8192 + "&state={}",
        "code=a%0d%0aSet-Cookie:%20x=y&state={}",
        "error=&state={}",
        "error=access_denied&code=a&state={}",
        "state={}",
        "",
    ],
    ids=lambda query: query[:40].encode(errors="replace").decode(),
)
def test_a_broken_callback_consumes_nothing(flow: Flow, query: str) -> None:
    """Repeats, odd names, bad encodings, sizes and contradictions: 400, and the install can still finish."""
    browser = Browser(flow)
    state = browser.begin()
    payload = browser.callback_raw(query.replace("{}", state))
    assert (payload["statusCode"], flow.statuses) == (400, ["pending"])
    assert browser.callback(code="c", state=state)["statusCode"] == 200


def test_a_body_on_a_get_is_no_reason_to_fail(flow: Flow) -> None:
    """A base64 body where none is expected is malformed when it is broken, and never a 5xx."""
    event = api_event("GET", "/oauth/start", "subdomain=acme", body="!!") | {"isBase64Encoded": True}
    assert flow.start(event, None)["statusCode"] == 400


@pytest.mark.parametrize(
    "iss", ["https://globex.zendesk.com", "https://acme.zendesk.com.evil.example", "acme"]
)
def test_a_wrong_issuer_is_refused(flow: Flow, iss: str) -> None:
    """`iss` of another account, or of none: 400, nothing consumed (RFC 9207)."""
    browser = Browser(flow)
    state = browser.begin()
    assert browser.callback(code="c", state=state, iss=iss)["statusCode"] == 400
    assert flow.statuses == ["pending"]


def test_the_right_issuer_is_taken(flow: Flow) -> None:
    """`iss` of the record's account passes."""
    browser = Browser(flow)
    assert (
        browser.callback(code="c", state=browser.begin(), iss="https://acme.zendesk.com")["statusCode"] == 200
    )


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "PUT", "DELETE"])
def test_other_methods_consume_nothing(flow: Flow, method: str) -> None:
    """Any other method is a 405 with our headers, at both addresses; so is a POST that is not the Continue form's."""
    browser = Browser(flow)
    state = browser.begin()
    cookies = [f"{name}={value}" for name, value in browser.jar.items()]
    for edge, query in ((flow.start, "subdomain=acme"), (flow.callback, f"code=c&state={state}")):
        payload: Any = edge(api_event(method, "/x", query, cookies=cookies), None)
        allowed = "GET, POST" if edge is flow.start and method != "POST" else "GET"
        assert (payload["statusCode"], payload["headers"]["Allow"]) == (405, allowed)
    assert flow.statuses == ["pending"]


@pytest.mark.parametrize("header", ["sec-purpose", "purpose"])
def test_looking_ahead_consumes_nothing(flow: Flow, header: str) -> None:
    """A prefetcher with a good state and cookie uses nothing up."""
    browser = Browser(flow)
    state = browser.begin()
    cookies = [f"{name}={value}" for name, value in browser.jar.items()]
    event = api_event("GET", "/x", f"code=c&state={state}", cookies=cookies, headers={header: "prefetch"})
    assert flow.callback(event, None)["statusCode"] == 403
    assert flow.statuses == ["pending"]


@pytest.mark.parametrize("subdomain", BAD_SUBDOMAINS, ids=ascii)
def test_a_bad_subdomain_shows_the_form_again(flow: Flow, subdomain: str) -> None:
    """The form comes back with the error, and with what was typed where that is harmless; nothing is written."""
    payload = Browser(flow).start(f"subdomain={quote(subdomain)}&return_to=https://other.example.com/x")
    assert (payload["statusCode"], flow.installs_store.calls) == (400, [])
    assert 'aria-invalid="true"' in payload["body"]
    assert '<input type="hidden" name="return_to" value="https://other.example.com/x">' in payload["body"]
    kept = subdomain if re.fullmatch(r"[A-Za-z0-9 ._:/@-]+", subdomain) else ""
    assert f'placeholder="acme" value="{kept}"' in payload["body"]
    assert len(subdomain) < 3 or payload["body"].count(subdomain) == (1 if kept else 0)


@pytest.mark.parametrize(("query", "status"), START_ODD_PARAMETERS.items())
def test_start_odd_parameters(flow: Flow, query: str, status: int) -> None:
    """What others appended is ignored and white space removed; a link without a value shows the form, and why."""
    payload = Browser(flow).start(query)
    assert payload["statusCode"] == status
    if status == 302:
        assert payload["headers"]["Location"].startswith("https://acme.zendesk.com/oauth/authorizations/new?")
    else:
        assert 'aria-invalid="true"' in payload["body"]
        assert "The link did not say which Zendesk account to connect." in payload["body"]
        assert flow.installs_store.calls == []


@pytest.mark.parametrize("placeholder", ["undefined", "null", "none", "None", "NaN", " null%09", "", "+"])
def test_a_link_without_a_value_shows_the_form(flow: Flow, placeholder: str) -> None:
    """What a page writes for a variable without a value names no account: the form says so, its field is empty."""
    payload = Browser(flow).start(f"subdomain={placeholder}&return_to=https://other.example.com/x")
    assert (payload["statusCode"], flow.installs_store.calls) == (400, [])
    assert "The link did not say which Zendesk account to connect." in payload["body"]
    assert 'name="return_to" value="https://other.example.com/x"' in payload["body"]
    assert flow.journal.entries[-1][0].outcome == "subdomain_refused"


def test_an_account_with_such_a_name_can_still_be_named(flow: Flow) -> None:
    """Its whole address is no placeholder."""
    assert Browser(flow).start("subdomain=none.zendesk.com")["statusCode"] == 302


@pytest.mark.parametrize("space", ["%20", "+", "%09", "%20%09+"])
def test_white_space_around_a_subdomain_is_removed(flow: Flow, space: str) -> None:
    """Spaces and tabs are pasted along; any other white space is refused."""
    assert Browser(flow).start(f"subdomain={space}acme{space}")["statusCode"] == 302
    assert Browser(flow).start("subdomain=%E2%80%80acme")["statusCode"] == 400


@pytest.mark.parametrize("unknown", UNKNOWN_PARAMETERS)
def test_a_parameter_of_others_stops_nobody(flow: Flow, unknown: str) -> None:
    """However malformed, it neither keeps a start from Zendesk nor a good callback from connecting."""
    browser = Browser(flow)
    state = browser.begin(f"{unknown}&subdomain=acme&{unknown}")
    payload = browser.callback_raw(f"{unknown}&code=c&{unknown}&state={state}&{unknown}")
    assert (payload["statusCode"], flow.statuses) == (200, ["connected"])


@pytest.mark.parametrize("newline", ["acme%0a", "acme%0d%0aX-Evil:1", "acme%00"])
def test_a_newline_is_no_part_of_a_subdomain(flow: Flow, newline: str) -> None:
    """Control characters are refused before the subdomain is even looked at."""
    payload = Browser(flow).start(f"subdomain={newline}")
    assert (payload["statusCode"], flow.installs_store.calls) == (400, [])
    assert not any("\n" in value or "\r" in value for value in payload["headers"].values())


def test_pages_echo_nothing_of_the_query(flow: Flow) -> None:
    """With 200 script strings in every place of a query, each page is byte for byte that of an exclamation mark.

    The form keeps a typed name or address in its field; no script is one, so the field is as empty as with the mark.
    """
    assert len(set(SCRIPTS)) == 200
    browser = Browser(flow)
    state = browser.begin()
    places = {
        "start": [
            "subdomain={}",
            "subdomain={}&x=1",
            "subdomain=acme&grant={}",
            "subdomain=acme&return_to={}",
        ],
        "callback": [
            "code=c&state={}",
            "error={}",
            "error=access_denied&error_description={}",
            "code={}",
            f"code=c&state={state}&iss={{}}",
        ],
    }
    for name, queries in places.items():
        for query in queries:
            open_page = browser.start if name == "start" else browser.callback_raw
            harmless = open_page(query.replace("{}", "!"))
            assert "!<" not in harmless["body"].replace("<!doctype", "")
            for script in SCRIPTS:
                answer = open_page(query.replace("{}", quote(script)))
                assert (answer["statusCode"], answer["body"]) == (harmless["statusCode"], harmless["body"])
    assert flow.statuses == ["pending"]


def test_after_success_the_address_is_clean(flow: Flow) -> None:
    """A 303 leads to the address asked for, with a result and the install's id, and without code or state."""
    browser = Browser(flow)
    state = browser.begin("subdomain=acme&return_to=https://other.example.com/x")
    payload = browser.callback(code="secret-code", state=state)
    install = state.partition(".")[0]
    assert payload["statusCode"] == 303
    assert payload["headers"]["Location"] == f"https://other.example.com/x?result=connected&install={install}"
    assert payload["body"] == ""


@pytest.mark.parametrize("role", ["end-user", "agent"])
def test_only_an_admin_connects(flow: Flow, role: str) -> None:
    """An end user or agent who presses Allow gets plain words; the token is revoked, the old connection stays."""
    browser = Browser(flow)
    browser.callback(code="c", state=browser.begin())
    before = flow.connections.rows["default#acme"]
    flow.zendesk.user = AuthorizedUser(8, role)
    payload = browser.callback(code="c", state=browser.begin())
    assert (payload["statusCode"], "Only an admin" in payload["body"]) == (403, True)
    link = "https://connect.example.com/oauth/start?subdomain=acme&amp;grant=default"
    assert f'<code class="copied">{link}</code>' in payload["body"]
    assert "Try again" not in payload["body"]
    assert (flow.zendesk.alive, flow.connections.rows["default#acme"]) == (set(), before)


@pytest.mark.parametrize(
    ("error", "status", "words", "step"),
    [
        (ProviderUnavailableError("busy", throttled=True), 503, "Zendesk cannot be reached", "Try again"),
        (ClientRejectedError("invalid_client"), 502, "Its operator has to look into it.", "Contact Example"),
        (
            AccountNotFoundError("HTTP 404", status=404),
            404,
            "no account at this subdomain",
            "Enter another subdomain",
        ),
    ],
    ids=["unavailable", "client rejected", "no help desk"],
)
def test_what_zendesk_does_wrong_has_its_page(
    flow: Flow, error: Exception, status: int, words: str, step: str
) -> None:
    """Each failure has its own words, the same at each opening, a code for support and the step that can help."""
    flow.zendesk.answer = error
    browser = Browser(flow)
    state = browser.begin()
    answers = [browser.callback(code="c", state=state) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["statusCode"] == status
    assert words in answers[0]["body"]
    assert state.partition(".")[0] in answers[0]["body"]
    assert f">{step}" in answers[0]["body"]
    assert state not in answers[0]["body"]


def test_no_code_is_spent_where_no_key_can_be_had(flow: Flow) -> None:
    """Without data keys Zendesk is not asked; the page says to try again."""
    flow.sealer.error = KeyUnavailableError("throttled")
    browser = Browser(flow)
    assert browser.callback(code="c", state=browser.begin())["statusCode"] == 503
    assert flow.zendesk.asked == []


@pytest.mark.parametrize("method", ["put_if_absent", "consume"])
def test_a_store_that_does_not_answer(flow: Flow, method: str) -> None:
    """The page asks for patience, with Retry-After; opened again, the same address goes on."""
    browser = Browser(flow)
    state = browser.begin()
    flow.installs_store.faults[method] = [Fault.REFUSED]

    def again() -> Payload:
        return browser.start() if method == "put_if_absent" else browser.callback(code="c", state=state)

    payload = again()
    assert (payload["statusCode"], payload["headers"]["Retry-After"]) == (503, "5")
    assert again()["statusCode"] in {200, 302}


def invite(flow: Flow, body: str = '{"user":"user-17","subdomain":"acme"}') -> Any:
    """Return the answer to an invitation."""
    return flow.installs(api_event("POST", "/invitations", body=body), None)


def confirm(flow: Flow, handle: str, user: str) -> Any:
    """Return the answer to a confirmation."""
    event = api_event("POST", f"/installs/{handle}/confirm", body=f'{{"user":"{user}"}}')
    return flow.installs(event, None)


def press(flow: Flow, browser: Browser, answer: Any) -> str:
    """Press the button of an invitation and Allow, and return the handle that arrives at the company's page."""
    query = answer["body"].partition("start?")[2].partition('"')[0]
    payload = browser.callback(code="c", state=browser.begin(query))
    assert payload["statusCode"] == 303
    assert payload["headers"]["Location"].startswith(f"{SITE_URL}?handle=")
    assert list(sent_to(payload)) == ["handle"]
    assert flow.connections.rows == {}
    return sent_to(payload)["handle"]


def test_an_invited_install_is_a_connection_only_when_confirmed(confirmed: Flow) -> None:
    """Only the handle reaches the company's page; its backend's word makes the connection, twice the same."""
    handle = press(confirmed, Browser(confirmed), invite(confirmed))
    first, second = confirm(confirmed, handle, "user-17"), confirm(confirmed, handle, "user-17")
    assert (first["statusCode"], first) == (200, second)
    assert '"status": "connected"' in first["body"]
    assert list(confirmed.connections.rows) == ["default#acme"]


def test_a_user_of_any_alphabet_is_invited_and_confirmed(confirmed: Flow) -> None:
    """A reference that is not ASCII is compared like any other: refused where it differs, taken where it fits."""
    handle = press(confirmed, Browser(confirmed), invite(confirmed, '{"user":"Jürgen","subdomain":"acme"}'))
    assert confirm(confirmed, handle, "Jörgen")["statusCode"] == 403
    assert confirm(confirmed, handle, "\\ud800")["statusCode"] == 403
    assert confirm(confirmed, handle, "Jürgen")["statusCode"] == 200


def test_a_victim_led_through_an_attackers_invitation_connects_nothing(confirmed: Flow) -> None:
    """The signed-in user at the company's page is another than the invited one: 403, and no connection."""
    handle = press(confirmed, Browser(confirmed), invite(confirmed, '{"user":"attacker","subdomain":"acme"}'))
    assert confirm(confirmed, handle, "victim")["statusCode"] == 403
    assert (confirmed.connections.rows, confirmed.statuses) == ({}, ["candidate"])


def test_a_hand_typed_handle_or_result_changes_nothing(confirmed: Flow) -> None:
    """Whoever makes a handle up, or knows an id, gets the same refusal as a stranger."""
    handle = press(confirmed, Browser(confirmed), invite(confirmed))
    install = handle.partition(".")[0]
    for forged in (f"{install}.{'x' * 43}", install, "x", f"{'y' * 22}.{'x' * 43}"):
        answer = confirm(confirmed, forged, "user-17")
        assert (answer["statusCode"], '"confirmation_rejected"' in answer["body"]) == (403, True)


def test_an_invitation_starts_once_within_its_minute(confirmed: Flow) -> None:
    """Used or over, the link says so; without one nothing starts."""
    browser = Browser(confirmed)
    query = invite(confirmed)["body"].partition("start?")[2].partition('"')[0]
    assert browser.start(query)["statusCode"] == 302
    assert browser.start(query)["statusCode"] == 410
    late = invite(confirmed)["body"].partition("start?")[2].partition('"')[0]
    confirmed.clock.advance(timedelta(seconds=60))
    assert browser.start(late)["statusCode"] == 410
    assert browser.start("subdomain=acme")["statusCode"] == 403
    assert browser.start("invitation=x")["statusCode"] == 410


NOT_A_NAVIGATION: dict[str, dict[str, str]] = {
    "a link preview, a scanner, an old browser": {},
    "a script": {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
    "an image": {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
    "a frame": {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    "an object": {"sec-fetch-mode": "navigate", "sec-fetch-dest": "object"},
    "twice": {"sec-fetch-mode": "navigate,navigate"},
    "another case": {"sec-fetch-mode": "Navigate"},
    "nonsense": {"sec-fetch-mode": "navigate\u2000"},
}


def invitation_query(flow: Flow, body: str = '{"user":"user-17","subdomain":"acme"}') -> str:
    """Return the query of a fresh invitation's address."""
    query: str = invite(flow, body)["body"].partition("start?")[2].partition('"')[0]
    return query


def opened(flow: Flow, query: str, headers: dict[str, str]) -> Payload:
    """Open an invitation's address with these headers and no others."""
    payload: Payload = flow.start(api_event("GET", "/oauth/start", query, headers=headers), None)
    return payload


def test_invitation_scanner(confirmed: Flow) -> None:
    """R40: a chat's preview opens the address first and spends nothing; the person who follows starts the install."""
    query = invitation_query(confirmed)
    scanner = {"user-agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}
    person = {
        "user-agent": "Mozilla/5.0",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
        "sec-fetch-user": "?1",
    }
    assert opened(confirmed, query, scanner)["statusCode"] == 200
    assert confirmed.statuses == ["offered"]
    started = opened(confirmed, query, person)
    assert (started["statusCode"], confirmed.statuses) == (302, ["pending"])
    assert started["headers"]["Location"].startswith("https://acme.zendesk.com/oauth/authorizations/new?")


@pytest.mark.parametrize("headers", NOT_A_NAVIGATION.values(), ids=NOT_A_NAVIGATION)
def test_only_a_navigation_spends_an_invitation(confirmed: Flow, headers: dict[str, str]) -> None:
    """R40: any other GET gets a page with a button, without a look at the store; the person can still start."""
    query = invitation_query(confirmed)
    confirmed.installs_store.calls.clear()
    for _ in range(3):
        page = opened(confirmed, query, headers)
        assert (page["statusCode"], ">Continue</button>" in page["body"]) == (200, True)
        assert query.partition("=")[2] not in page["body"]
    assert (confirmed.statuses, confirmed.installs_store.calls) == (["offered"], [])
    assert confirmed.journal.entries[-1][0].outcome == "continue_shown"
    assert Browser(confirmed).start(query)["statusCode"] == 302


def test_a_start_by_subdomain_needs_no_navigation(flow: Flow) -> None:
    """It spends nothing, so it stays as it was for whoever opens it."""
    assert opened(flow, "subdomain=acme", {})["statusCode"] == 302


def test_continue_starts_the_install_once(confirmed: Flow) -> None:
    """The button leads to Zendesk with a 303 and the install's cookie; pressed again, the invitation is used."""
    browser, query = Browser(confirmed), invitation_query(confirmed)
    page = browser.start(query, sec_fetch_mode="")
    [cookie] = page["cookies"]
    assert cookie.startswith("__Host-continue=")
    assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60")
    started = browser.press_continue(query, page)
    assert (started["statusCode"], confirmed.statuses) == (303, ["pending"])
    state = sent_to(started)["state"]
    assert browser.press_continue(query, page)["statusCode"] == 410
    assert browser.callback(code="c", state=state)["statusCode"] == 303
    assert confirmed.statuses == ["candidate"]


def test_the_pages_of_two_invitations_both_continue(confirmed: Flow) -> None:
    """The second page keeps the first one's key; each proof fits its own invitation alone."""
    browser, queries = Browser(confirmed), [invitation_query(confirmed) for _ in range(2)]
    pages = [browser.start(query, sec_fetch_mode="") for query in queries]
    assert browser.press_continue(queries[0], pages[1])["statusCode"] == 403
    statuses = [browser.press_continue(*one)["statusCode"] for one in zip(queries, pages, strict=True)]
    assert (statuses, confirmed.statuses) == ([303, 303], ["pending", "pending"])


@pytest.mark.parametrize(
    "stranger", ["no cookie", "another browser's", "no secret", "two cookies", "wrong proof"]
)
def test_continue_without_its_proof_spends_nothing(confirmed: Flow, stranger: str) -> None:
    """Neither another site's form nor a program that only posts the address can press the button for a person."""
    rightful, other, query = Browser(confirmed), Browser(confirmed), invitation_query(confirmed)
    page = rightful.start(query, sec_fetch_mode="")
    pressed = dict(page)
    if stranger == "another browser's":
        other.start(query, sec_fetch_mode="")
    elif stranger == "no secret":
        other.jar = {"__Host-continue": "x"}
    elif stranger == "two cookies":
        other.jar = {"__Host-continue": f"{'Z' * 43}; __Host-continue={rightful.jar['__Host-continue']}"}
    elif stranger == "wrong proof":
        other.jar = dict(rightful.jar)
        pressed["body"] = page["body"].replace('name="proof" value="', 'name="proof" value="x')
    refused = other.press_continue(query, pressed)
    assert (refused["statusCode"], "continue_rejected" in refused["body"]) == (403, True)
    assert confirmed.statuses == ["offered"]
    assert rightful.press_continue(query, page)["statusCode"] == 303


def test_continue_ends_with_its_invitation(confirmed: Flow) -> None:
    """After the invitation's minute the proof is worth nothing, whatever cookie is sent with it."""
    browser, query = Browser(confirmed), invitation_query(confirmed)
    page = browser.start(query, sec_fetch_mode="")
    confirmed.clock.advance(timedelta(seconds=60))
    assert browser.press_continue(query, page)["statusCode"] == 410
    assert confirmed.statuses == ["offered"]


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ("", "proof=x", 405),
        ("subdomain=acme", "proof=x", 405),
        ("{}", None, 405),
        ("{}", "", 405),
        ("{}", "x=proof", 405),
        ("{}", "{}", 405),
        ("{}", "\ufffd", 405),
        ("{}", "proof", 403),
        ("{}", "proof=x", 403),
        ("invitation=x", "proof=x", 403),
        ("{}", "proof=x&proof=x", 400),
        ("{}", "proof[]=x", 400),
        ("{}", "proof=%ff", 400),
        ("{}&{}", "proof=x", 400),
        ("{}", "proof=" + "x" * 4097, 400),
    ],
    ids=lambda value: ascii(value)[:24],
)
def test_no_other_post_is_accepted(confirmed: Flow, query: str, body: str | None, status: int) -> None:
    """What is not our form is a 405, and our form without its proof a 4xx; nothing is spent and nothing asked."""
    invitation = invitation_query(confirmed)
    confirmed.installs_store.calls.clear()
    event = api_event("POST", "/oauth/start", query.replace("{}", invitation), body=body)
    payload: Any = confirmed.start(event, None)
    assert (payload["statusCode"], confirmed.installs_store.calls) == (status, [])
    assert status != 405 or payload["headers"]["Allow"] == "GET"


def test_continue_asks_for_a_subdomain_where_the_invitation_names_none(confirmed: Flow) -> None:
    """The button shows the form, which uses nothing up; what it then sends starts the install."""
    browser, query = Browser(confirmed), invitation_query(confirmed, '{"user":"user-17"}')
    form = browser.press_continue(query, browser.start(query, sec_fetch_mode=""))
    assert (form["statusCode"], 'id="subdomain"' in form["body"]) == (200, True)
    assert confirmed.statuses == ["offered"]
    assert browser.start(f"{query}&subdomain=acme")["statusCode"] == 302


def test_a_page_that_asks_first_keeps_the_rest_of_its_address(confirmed: Flow) -> None:
    """A browser without Fetch Metadata sends the form's GET too; its Continue keeps the subdomain that was typed."""
    browser, query = Browser(confirmed), invitation_query(confirmed, '{"user":"user-17"}')
    query = f"{query}&subdomain=globex&utm[source]=x"
    started = browser.press_continue(query, browser.start(query, sec_fetch_mode=""))
    assert started["headers"]["Location"].startswith("https://globex.zendesk.com/")


def test_in_confirmed_mode_an_admin_begins_at_the_companys_page(confirmed: Flow) -> None:
    """The link for an admin is the page with the button, since an invitation is of the user who was invited."""
    confirmed.zendesk.user = AuthorizedUser(8, "agent")
    browser = Browser(confirmed)
    payload = browser.callback(code="c", state=browser.begin(invitation_query(confirmed)))
    assert (payload["statusCode"], f'<code class="copied">{SITE_URL}</code>' in payload["body"]) == (
        403,
        True,
    )
    assert f'href="{SITE_URL}?result=failed"' in payload["body"]


REFUSED_IN_CONFIRMED_MODE = [
    "subdomain=acme",
    "invitation=x",
    f"invitation={'A' * 22}.{'a' * 43}",
    "grant=a&grant=b",
]
REFUSED_IN_OPEN_MODE = [
    "subdomain=acme&grant=none",
    "subdomain=acme&return_to=//x",
    "invitation=x",
    "grant=a&grant=b",
]


def test_every_refusal_leads_on(flow: Flow, confirmed: Flow) -> None:
    """What start and callback refuse has a link: to our form in open mode, to the company's page in confirmed mode."""
    ways = {"https://connect.example.com/oauth/start": flow, SITE_URL: confirmed}
    queries = dict(zip(ways, (REFUSED_IN_OPEN_MODE, REFUSED_IN_CONFIRMED_MODE), strict=True))
    for url, mode in ways.items():
        browser = Browser(mode)
        pages = [browser.start(query) for query in queries[url]]
        pages += [browser.callback_raw(f"code=c&state={examples.state('A').text}"), browser.callback_raw("")]
        for page in pages:
            assert page["statusCode"] in {400, 403, 410}
            assert f'<a class="button" href="{url}">' in page["body"]


def test_a_store_that_is_down_can_be_tried_again_at_the_same_address(flow: Flow) -> None:
    """An empty href is the page's own address: nothing of it is echoed, and the words fit a read and a write."""
    browser = Browser(flow)
    state = browser.begin()
    flow.installs_store.faults["consume"] = [Fault.REFUSED]
    page = browser.callback(code="c", state=state)
    assert page["statusCode"] == 503
    assert '<a class="button" href="">Try again</a>' in page["body"]
    assert "Our database does not answer at the moment." in page["body"]
    assert state not in page["body"]


def test_an_invitation_without_a_subdomain_asks_for_it(confirmed: Flow) -> None:
    """The form takes the invitation along; a wrong subdomain uses nothing up."""
    browser = Browser(confirmed)
    query = invite(confirmed, '{"user":"user-17"}')["body"].partition("start?")[2].partition('"')[0]
    form = browser.start(query)
    invitation = query.partition("=")[2]
    assert f'<input type="hidden" name="invitation" value="{invitation}">' in form["body"]
    assert browser.start(f"{query}&subdomain=-")["statusCode"] == 400
    assert browser.start(f"{query}&subdomain=acme")["statusCode"] == 302


def test_a_denied_invitation_leads_back_and_not_to_a_new_start(confirmed: Flow) -> None:
    """An invitation works once: the page links to the company's own, where a new one can be had."""
    browser = Browser(confirmed)
    query = invite(confirmed)["body"].partition("start?")[2].partition('"')[0]
    payload = browser.callback(error="access_denied", state=browser.begin(query))
    assert "/oauth/start" not in payload["body"]
    assert f'href="{SITE_URL}?result=denied"' in payload["body"]


def test_open_mode_has_no_invitations(flow: Flow) -> None:
    """In open mode there is nothing to invite to, and an invitation starts nothing."""
    assert invite(flow)["statusCode"] == 409
    assert Browser(flow).start("subdomain=acme&invitation=x")["statusCode"] == 410


@pytest.mark.parametrize("path", ["/", "/invitations/", "/installs/a/b/confirm", "/installs//confirm"])
def test_there_is_nothing_at_other_paths(confirmed: Flow, path: str) -> None:
    """Any other path is a 404 of ours."""
    answer: Any = confirmed.installs(api_event("POST", path, body="{}"), None)
    assert (answer["statusCode"], '"not_found"' in answer["body"]) == (404, True)


def test_a_candidate_whose_address_to_return_to_is_gone_is_told_to_go_back(confirmed: Flow) -> None:
    """Should a row lack the address, the person is told where this is finished; the handle is shown to nobody."""
    browser = Browser(confirmed)
    query = invite(confirmed)["body"].partition("start?")[2].partition('"')[0]
    state = browser.begin(query)
    confirmed.installs_store.rows[state.partition(".")[0]].install = without_return(confirmed, state)
    payload = browser.callback(code="c", state=state)
    assert (payload["statusCode"], "Almost there" in payload["body"]) == (200, True)
    assert "handle" not in payload["body"]


def without_return(flow: Flow, state: str) -> Any:
    """Return the install of this state without an address to return to."""
    return replace(flow.installs_store.rows[state.partition(".")[0]].install, return_to=None)


def test_templates_escape_what_they_are_given() -> None:
    """A company's name with markup in it is text on the page."""
    assert fill("hidden.html", name="n", value="\"<&'>") == (
        '<input type="hidden" name="n" value="&quot;&lt;&amp;&#x27;&gt;">\n'
    )
