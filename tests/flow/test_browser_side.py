"""The browser's side of an install, against a real table and a real token endpoint: what is refused, what survives.

Each test is one line of the list in docs/threat-model.md: nobody but the browser that began an install can end it.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from urllib.parse import quote, urlsplit

import pytest

from local.zendesk.person import approve, deny
from tests.flow.sinks import Sinks
from tests.flow.world import (
    BASE_URL,
    OTHER_ORIGIN,
    REDIRECT_URI,
    SITE_URL,
    Answer,
    Browser,
    World,
    state_of,
    with_query,
)
from tests.handlers.payloads import api_event
from zendesk_oauth.models.return_to import origin_of

CALLBACKS = 1000
AT_ONCE = 50
CONTAINERS = 5
PATIENCE_SECONDS = 30
"""With an emulator that shares two cores with all that ask it."""
NOTHING_ASKED = ("kms.", "secretsmanager.")
ERROR_CODES = [
    "invalid_request",
    "unauthorized_client",
    "unsupported_response_type",
    "invalid_scope",
    "server_error",
    "temporarily_unavailable",
]
BROKEN = {
    "code twice": "code=a&code=b&state={}",
    "state twice": "code=a&state={}&state={}",
    "error twice": "error=a&error=b&state={}",
    "issuer twice": "code=a&state={}&iss=a&iss=b",
    "code as a list": "code[]=a&state={}",
    "NUL": "code=a%00b&state={}",
    "invalid UTF-8": "code=%ff%fe&state={}",
    "lone surrogate, encoded": "code=%ed%a0%80&state={}",
    "lone surrogate, as it is": "code=\ud800&state={}",
    "8 kB": "code=" + "x" * 8192 + "&state={}",
    "half an escape": "code=%4&state={}",
    "no code, no error": "state={}",
    "code and error": "code=a&error=access_denied&state={}",
    "empty error": "error=&state={}",
    "empty code": "code=&state={}",
    "no state": "code=a",
    "nothing": "",
}
BAD_SUBDOMAINS = [
    "acme@evil.com#",
    "acme.evil",
    "acme。evil",
    "①②③",
    "ⅰ",  # noqa: RUF001 - one of the look-alikes to refuse
    "ac\u200bme",
    "acme\n",
    "%2e",
    ":443",
    "-a",
    "a" * 64,
    "xn--acme",
    "аcme",  # noqa: RUF001 - begins with a Cyrillic letter
    "169.254.169.254/x#",
]
RETURN_TO = [
    "https://other.example.com.evil.example/",
    "https://other.example.com@evil.example/",
    "https://evil.example\\@other.example.com/",
    "https://evil.example\\.other.example.com/",
    "https://other.example.com:443@evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "/\t/evil.example/",
    "https:/evil.example/",
    "https:evil.example",
    "http://other.example.com/",
    "https://other.example.com:8443/",
    "https://OTHER.example.com/",
    "javascript:alert(1)//https://other.example.com/",
    "https://other.example.com#@evil.example/",
    "https://[::1]/",
    "/settings#/../x",
    " https://other.example.com/",
]
ALLOWED_RETURN_TO = [
    "/settings?tab=2",
    "/",
    "https://other.example.com",
    f"{OTHER_ORIGIN}/deep/er?x=%2F%2Fevil",
]


def asked_nothing(world: World) -> bool:
    """Tell whether neither Zendesk's token endpoint nor a key nor the client secret was asked."""
    return world.posts == 0 and not any(name.startswith(NOTHING_ASKED) for name in world.wire.operations)


def is_working(answer: Answer) -> bool:
    """Tell whether the page says that it will look again by itself."""
    return "refresh" in answer.headers


def shown(answer: Answer) -> tuple[int, str, str]:
    """Return what a person sees of an answer."""
    return answer.status, answer.location, answer.body


@pytest.mark.parametrize("stranger", ["no cookie", "wrong cookie", "another browser's cookie"])
def test_a_good_state_in_the_wrong_browser_neither_finishes_nor_burns(world: World, stranger: str) -> None:
    """It is 400 without a POST, and the rightful browser can still finish."""
    rightful, other = Browser(world), Browser(world)
    callback = approve(rightful.begin())
    if stranger == "wrong cookie":
        other.jar = dict.fromkeys(rightful.jar, "Z" * 43)
    elif stranger == "another browser's cookie":
        other.begin()

    assert other.callback(callback).status == 400
    assert asked_nothing(world)
    assert world.status(state_of(callback)) == ("pending", None)
    assert rightful.callback(callback).query["result"] == "connected"
    assert world.posts == 1


def test_a_cookie_under_the_name_of_another_install_proves_nothing(world: World) -> None:
    """An attacker's own good cookie, renamed after the victim's install, does not fit the victim's state."""
    victim, attacker = Browser(world), Browser(world)
    callback = approve(victim.begin())
    attacker.begin()
    attacker.jar = {next(iter(victim.jar)): next(iter(attacker.jar.values()))}
    assert attacker.callback(callback).status == 400
    assert asked_nothing(world)


def test_a_thousand_callbacks_at_once_are_one_post_and_one_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over several containers and threads: one code is posted once, and everybody ends at the same place."""
    monkeypatch.setattr("zendesk_oauth.bootstrap.callback.READ_SECONDS", PATIENCE_SECONDS)
    browser = Browser(world)
    callback = approve(browser.begin())
    containers = [world.account.cold("callback") for _ in range(CONTAINERS)]
    gate = Barrier(AT_ONCE)

    def follow(number: int) -> Answer:
        if number < AT_ONCE:
            gate.wait()
        return browser.callback(callback, containers[number % CONTAINERS])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(follow, range(CALLBACKS)))

    at_work = [answer for answer in answers if is_working(answer)]
    ended = [shown(answer) for answer in answers if not is_working(answer)]
    again = [shown(browser.callback(callback)) for _ in at_work[:3]]
    assert world.posts == 1
    assert len(at_work) + len(ended) == CALLBACKS
    assert len({shown(answer) for answer in at_work}) <= 1
    assert len({*ended, *again}) == 1
    assert ended[0][0] == 303
    assert [row["epoch"]["N"] for row in world.rows("connections")] == ["1"]


def test_a_state_older_than_ten_minutes_is_refused_though_its_row_is_there(
    world: World, browser: Browser
) -> None:
    """Time is judged in the condition of the write: DynamoDB removes rows days late."""
    callback = approve(browser.begin())
    world.clock.advance(timedelta(seconds=601))
    assert browser.callback(callback).status == 410
    assert asked_nothing(world)
    assert world.status(state_of(callback)) == ("pending", None)


def test_two_tabs_both_finish(world: World, browser: Browser) -> None:
    """Each install has a cookie of its own, whichever comes back first."""
    first, second = (approve(browser.begin(f"subdomain={name}")) for name in ("acme", "globex"))
    assert [browser.callback(url).query["result"] for url in (second, first)] == ["connected"] * 2
    assert [row["connection_key"]["S"] for row in world.rows("connections")] == [
        "default#acme",
        "default#globex",
    ]


def test_an_attackers_invitation_connects_no_victim(confirmed: World) -> None:
    """Who follows a stranger's invitation and says Allow makes a candidate; unconfirmed, its token is revoked."""
    attack = confirmed.invite(user="attacker")
    victim = Browser(confirmed)
    handle = victim.connect(urlsplit(attack).query).query["handle"]

    assert confirmed.confirm(handle, user="victim").status == 403
    assert confirmed.rows("connections") == []
    assert confirmed.status(handle) == ("candidate", None)
    assert confirmed.revoke() == 0
    confirmed.clock.advance(timedelta(seconds=601))
    assert confirmed.confirm(handle, user="attacker").status == 403
    assert confirmed.revoke() == 1
    assert (confirmed.alive, confirmed.rows("connections")) == (0, [])
    assert confirmed.status(handle) == ("abandoned", "unconfirmed")


def test_a_hand_typed_result_changes_nothing(confirmed: World) -> None:
    """What stands in the address proves nothing: not to our callback, not as a handle, not in return_to."""
    browser = Browser(confirmed)
    start_url = confirmed.invite(return_to="/settings?result=connected")
    answer = browser.refuse(urlsplit(start_url).query)
    before = confirmed.rows("installs")
    install = before[0]["install_id"]["S"]

    assert answer.status == 200
    assert before[0]["status"]["S"] == "denied"
    assert browser.get("/oauth/callback", f"result=connected&install={install}").status == 400
    for handle in (install, f"{install}.{'a' * 43}"):
        assert confirmed.confirm(handle).status == 403
    assert (confirmed.rows("installs"), confirmed.rows("connections")) == (before, [])


@pytest.mark.parametrize("role", ["end-user", "agent"])
def test_who_may_not_connect_leaves_the_old_connection_untouched(
    world: World, browser: Browser, role: str
) -> None:
    """Allow by an end user or an agent ends as `wrong_role`, and the fresh token is revoked at Zendesk."""
    browser.connect()
    before = world.connection()
    answer = browser.connect(role=role)
    assert (answer.status, "wrong_role" in answer.body) == (403, True)
    assert world.connection() == before
    assert [pair.person.role for pair in world.zendesk.alive()] == ["admin"]


def test_an_anonymous_user_is_nobody_who_may_connect(world: World, browser: Browser) -> None:
    """`users/me` with a null id ends as `wrong_role`, and the fresh token is revoked at Zendesk."""
    world.zendesk.switches.anonymous = True
    assert browser.connect().status == 403
    assert (world.alive, world.connection()) == (0, None)


def test_every_start_asks_for_pkce_and_shows_the_verifier_to_nobody(
    world: World, browser: Browser, sinks: Sinks
) -> None:
    """S256 stands in each authorization request; the verifier in the one POST, and in no URL, log line or row."""
    verifiers = set()
    for _ in range(3):
        location = browser.begin()
        answer = browser.callback(approve(location))
        post = world.zendesk.seen.token_posts[-1]
        assert post.raw is not None
        verifiers.add(post.raw["code_verifier"])
        assert post.status == 200
        assert post.raw["code_verifier"] not in f"{location} {answer.location}"
    pages = [seen for seen in world.zendesk.seen.authorizations if seen.method == "GET"]
    assert [seen.parameters["code_challenge_method"] for seen in pages] == ["S256"] * 3
    assert len(verifiers) == 3
    said = f"{sinks.said} {world.rows('installs')} {world.rows('connections')}"
    assert "request answered" in said
    assert not any(verifier in said for verifier in verifiers)


@pytest.mark.parametrize("header", ["host", "x-forwarded-host", "forwarded"])
def test_the_redirect_uri_is_the_same_bytes_in_both_legs(world: World, browser: Browser, header: str) -> None:
    """Whatever a Host header says, it comes from the settings."""
    lie = {header: "host=evil.example" if header == "forwarded" else "evil.example"}
    answer = browser.start("subdomain=acme&return_to=/x", **lie)
    browser.callback(approve(answer.location), **lie)
    page, post = world.zendesk.seen.authorizations[0], world.zendesk.seen.token_posts[0]
    assert (page.parameters["redirect_uri"], post.fields["redirect_uri"]) == (REDIRECT_URI, REDIRECT_URI)
    assert post.status == 200


def test_the_code_is_posted_to_the_account_of_the_record(world: World, browser: Browser) -> None:
    """Whatever subdomain the redirect's query names, the secret goes where the install began."""
    callback = with_query(
        approve(browser.begin()), subdomain="evil", account="evil", zendesk="https://evil.example"
    )
    assert browser.callback(callback).query["result"] == "connected"
    assert [post.subdomain for post in world.zendesk.seen.token_posts] == ["acme"]


@pytest.mark.parametrize(
    "issuer", ["{address}/globex", "{address}/acme/", "https://acme.zendesk.com", "acme", ""]
)
def test_a_wrong_issuer_is_refused(world: World, browser: Browser, issuer: str) -> None:
    """`iss` of another account or of nobody: 400, no POST, and without it the same browser finishes (RFC 9207)."""
    callback = approve(browser.begin())
    wrong = with_query(callback, iss=issuer.format(address=world.zendesk.address))
    assert browser.callback(wrong).status == 400
    assert asked_nothing(world)
    assert browser.callback(callback).status == 303


def test_the_right_issuer_passes(world: World, browser: Browser) -> None:
    """`iss` of the account of the record changes nothing."""
    world.zendesk.switches.iss = world.zendesk.url("acme")
    assert browser.connect().query["result"] == "connected"


@pytest.mark.parametrize("error", [*ERROR_CODES, "something_else", "<b>", "x" * 4000])
def test_an_error_is_a_neutral_page_and_asks_nobody(
    world: World, browser: Browser, sinks: Sinks, error: str
) -> None:
    """Every error code of RFC 6749, and any other: a word of a closed list, and the log has what Zendesk wrote."""
    callback = deny(browser.begin())
    answer = browser.callback(with_query(callback, error=error, error_description="See https://evil.example"))
    reason = error if error in ERROR_CODES else "unrecognised_error"
    assert answer.status == 400
    assert "Zendesk did not complete the connection." in answer.body
    assert "evil.example" not in answer.body
    assert asked_nothing(world)
    assert world.status(state_of(callback)) == ("failed", reason)
    assert (f'"server_error":"{error[:64]}"' in sinks.stdout) is (error not in ERROR_CODES)


def test_a_denial_is_an_outcome_that_asks_nobody(world: World, browser: Browser) -> None:
    """Deny is recorded with one write, and no key, secret or token endpoint is asked."""
    callback = deny(browser.begin())
    assert browser.callback(callback).status == 200
    assert asked_nothing(world)
    assert world.status(state_of(callback)) == ("denied", "access_denied")


def test_a_denial_replayed_or_forged_changes_no_living_connection(world: World, browser: Browser) -> None:
    """With an active connection, a replayed denial, and one forged from the state that connected, change nothing."""
    denial = deny(browser.begin())
    browser.callback(denial)
    allowed = approve(browser.begin())
    browser.callback(allowed)
    before = world.rows("connections"), world.rows("installs")
    forged = with_query(allowed, code=None, error="access_denied")
    assert [browser.callback(url).status for url in (denial, forged)] == [200, 303]
    assert Browser(world).callback(forged).status == 400
    assert (world.rows("connections"), world.rows("installs")) == before
    assert world.alive == 1


@pytest.mark.parametrize("query", BROKEN.values(), ids=BROKEN)
def test_a_broken_callback_is_refused_and_burns_nothing(world: World, browser: Browser, query: str) -> None:
    """Repeats, sizes, encodings, contradictions: 400 and nothing asked; then the same browser finishes."""
    callback = approve(browser.begin())
    state = state_of(callback)
    assert browser.get("/oauth/callback", query.replace("{}", state)).status == 400
    assert asked_nothing(world)
    assert world.status(state) == ("pending", None)
    assert browser.callback(callback).status == 303


@pytest.mark.parametrize("unknown", ["&amp;x=", "&$deep_link=1", "&utm[source]=x", "&q=caf%E9", "&a[]=1"])
def test_a_parameter_of_others_stops_no_install(world: World, browser: Browser, unknown: str) -> None:
    """What a mailer or a counter appends, however malformed, is ignored at both addresses: the install connects."""
    callback = approve(browser.begin(f"subdomain=acme{unknown}"))
    answer = browser.get("/oauth/callback", f"{urlsplit(callback).query}{unknown}")
    assert answer.query["result"] == "connected"
    assert world.posts == 1


def test_a_body_or_a_null_query_is_no_5xx(world: World) -> None:
    """Events that no browser makes, but anybody who may invoke the function: 4xx, and nothing is written."""
    event = api_event("GET", "/oauth/callback")
    for odd in (
        event | {"rawQueryString": None},
        event | {"rawQueryString": 7},
        event | {"body": "####", "isBase64Encoded": True},
        event | {"body": "QUJD" * 5000, "isBase64Encoded": True},
        event | {"headers": None, "cookies": "x"},
        {key: value for key, value in event.items() if key != "rawQueryString"},
    ):
        assert world.call("callback", odd).status == 400
    assert world.wire.operations == []


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "PUT", "DELETE"])
def test_another_method_is_405_and_burns_nothing(world: World, browser: Browser, method: str) -> None:
    """Only GET starts or ends an install, and the one POST of an invitation's Continue button."""
    callback = approve(browser.begin())
    cookies = [f"{name}={value}" for name, value in browser.jar.items()]
    for path, query in (("start", "subdomain=acme"), ("callback", urlsplit(callback).query)):
        world.wire.clear()
        answer = world.call(path, api_event(method, f"/oauth/{path}", query, cookies=cookies))
        allowed = "GET, POST" if (path, method != "POST") == ("start", True) else "GET"
        assert (answer.status, answer.headers["allow"]) == (405, allowed)
        assert world.wire.operations == []
    assert browser.callback(callback).status == 303


@pytest.mark.parametrize(
    "header", [{"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"}, {"x-moz": "prefetch"}], ids=str
)
def test_a_prefetcher_consumes_nothing(confirmed: World, header: dict[str, str]) -> None:
    """Looking ahead uses up neither an invitation nor a code."""
    browser = Browser(confirmed)
    invitation = urlsplit(confirmed.invite()).query
    assert browser.start(invitation, **header).status == 403
    callback = approve(browser.begin(invitation))
    assert browser.callback(callback, **header).status == 403
    assert asked_nothing(confirmed)
    assert browser.callback(callback).status == 303


@pytest.mark.parametrize("header", [{"sec-fetch-mode": ""}, {"sec-fetch-dest": "iframe"}], ids=str)
def test_what_is_no_navigation_spends_no_invitation(confirmed: World, header: dict[str, str]) -> None:
    """R40: it asks nothing of the table; the button of its page then starts the install, once, in its browser alone."""
    invitation = urlsplit(confirmed.invite()).query
    browser, stranger = Browser(confirmed), Browser(confirmed)
    confirmed.wire.clear()
    page = browser.start(invitation, **header)
    assert (page.status, confirmed.wire.operations) == (200, [])
    assert stranger.press_continue(invitation, page).status == 403
    assert confirmed.wire.operations == []
    started = browser.press_continue(invitation, page)
    assert (started.status, confirmed.wire.operations) == (303, ["dynamodb.UpdateItem"])
    assert browser.press_continue(invitation, page).status == 410
    assert browser.callback(approve(started.location)).status == 303


@pytest.mark.parametrize("return_to", RETURN_TO)
def test_return_to_leads_nowhere_else(world: World, browser: Browser, return_to: str) -> None:
    """Addresses that two parsers read differently are refused before anything is written."""
    answer = browser.start(f"subdomain=acme&return_to={quote(return_to, safe='')}")
    assert (answer.status, "return_to_refused" in answer.body or "malformed_request" in answer.body) == (
        400,
        True,
    )
    assert world.wire.operations == []


@pytest.mark.parametrize("return_to", ALLOWED_RETURN_TO)
def test_return_to_is_judged_the_same_by_a_second_parser(
    world: World, browser: Browser, return_to: str
) -> None:
    """Python's own parser finds the configured site or an allowed origin in where the browser is really sent."""
    answer = browser.connect(f"subdomain=acme&return_to={quote(return_to, safe='')}")
    parts = urlsplit(answer.location)
    assert f"{parts.scheme}://{parts.netloc}" in {OTHER_ORIGIN, origin_of(SITE_URL)}
    assert parts.username is None
    assert world.posts == 1


def test_pages_echo_nothing_of_the_query(world: World, browser: Browser) -> None:
    """With 200 script strings in every parameter, each page is byte for byte that of an exclamation mark.

    Neither is a name or an address, which the form would keep in its field.
    """
    callback = approve(browser.begin())
    state = state_of(callback)
    places = [
        ("/oauth/start", "subdomain={}"),
        ("/oauth/start", "subdomain=acme&grant={}"),
        ("/oauth/start", "subdomain=acme&return_to={}"),
        ("/oauth/callback", "code=a&state={}"),
        ("/oauth/callback", f"code=a&state={state}&iss={{}}"),
        ("/oauth/callback", "error=access_denied&error_description={}"),
    ]
    scripts = [f"{text}{number}" for number in range(40) for text in _SCRIPTS]
    assert len(set(scripts)) == 200
    for path, query in places:
        plain = shown(browser.get(path, query.replace("{}", "!")))
        for script in scripts:
            assert shown(browser.get(path, query.replace("{}", quote(script, safe="")))) == plain
    assert asked_nothing(world)


_SCRIPTS = ("<script>alert(1)</script>", '"><svg onload=alert(1)>', "{{7*7}}", "${company}", "';alert(1)//")


@pytest.mark.parametrize(
    "parameter", ["code", "state", "error", "iss", "subdomain", "grant", "return_to", "x"]
)
def test_a_line_break_reaches_no_header_cookie_or_log_line(
    world: World, browser: Browser, sinks: Sinks, parameter: str
) -> None:
    """`%0d%0a` is refused in a parameter of ours and ignored in any other; each line of the log is one JSON object."""
    ours = {
        "/oauth/start": {"subdomain", "grant", "return_to"},
        "/oauth/callback": {"code", "state", "error", "iss"},
    }
    forged = f"{parameter}=acme%0d%0aSet-Cookie:%20evil=1%0d%0a%0d%0a{{%22forged%22:1}}"
    for path, names in ours.items():
        answer = browser.get(path, forged)
        is_form = path == "/oauth/start" and parameter not in names
        assert (answer.status, answer.cookies) == (200 if is_form else 400, ())
        assert "evil" not in f"{answer.headers}"
    lines = [json.loads(line) for line in sinks.stdout.splitlines()]
    first = "refused" if parameter in ours["/oauth/start"] else "form_shown"
    assert [line["outcome"] for line in lines if "outcome" in line] == [first, "refused"]
    assert not any("forged" in line for line in lines)
    assert world.wire.operations == []


@pytest.mark.parametrize("mode", ["open", "confirmed"])
def test_after_success_the_address_is_clean(world: World, mode: str) -> None:
    """A 303 leads to the company's page with neither code nor state in its address."""
    world.mode = mode
    browser = Browser(world)
    query = "subdomain=acme" if mode == "open" else urlsplit(world.invite()).query
    callback = approve(browser.begin(query))
    answer = browser.callback(callback)
    assert (answer.status, answer.body) == (303, "")
    assert set(answer.query) == ({"result", "install"} if mode == "open" else {"handle"})
    assert not set(dict(re.findall(r"(code|state)=([^&]+)", callback)).values()) & set(answer.query.values())


@pytest.mark.parametrize("subdomain", BAD_SUBDOMAINS, ids=ascii)
def test_what_is_no_subdomain_is_refused(world: World, browser: Browser, subdomain: str) -> None:
    """400, nothing written, nowhere to be sent: the client secret is posted to the host built from it."""
    answer = browser.start(f"subdomain={quote(subdomain, safe='')}")
    assert (answer.status, answer.location, answer.cookies) == (400, "", ())
    assert world.wire.operations == []


def test_the_cookie_is_bound_to_our_host_and_to_nothing_else(browser: Browser) -> None:
    """One `__Host-` cookie an install: Secure, HttpOnly, Lax, ten minutes, no Domain."""
    (cookie,) = browser.start().cookies
    name, *attributes = cookie.split("; ")
    assert re.fullmatch(r"__Host-install-[A-Za-z0-9_-]{22}=[A-Za-z0-9_-]{43}", name)
    assert sorted(attributes) == ["HttpOnly", "Max-Age=600", "Path=/", "SameSite=Lax", "Secure"]


def test_the_authorization_request_says_everything_and_nothing_more(world: World, browser: Browser) -> None:
    """The parameters are Zendesk's own list, the scope is never empty, and the address is the account's."""
    answer = browser.start("subdomain=https%3A%2F%2Facme.zendesk.com%2Fagent&grant=reporting")
    assert answer.location.startswith(f"{world.zendesk.url('acme')}/oauth/authorizations/new?")
    assert set(answer.query) == {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
    }
    assert (answer.query["scope"], answer.query["redirect_uri"]) == ("read", f"{BASE_URL}/oauth/callback")
