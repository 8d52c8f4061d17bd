"""Arbitrary events: whatever the JSON, an answer of ours comes back, and none of it is a 5xx.

`FUZZ_EXAMPLES` says how many callbacks, and a tenth of that for the others; `make fuzz` asks for 100,000.
"""

import json
import os
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.sam import example_installs as examples
from tests.handlers.flow import SITE_URL, Flow
from tests.handlers.payloads import api_event
from zendesk_oauth.models.install import StartMode
from zendesk_oauth.web.callback_query import ERROR_CODES

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "500"))
HEADERS = {"Cache-Control", "Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"}

_ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
_TOKENS = st.sampled_from(
    [
        *(
            "code",
            "state",
            "error",
            "iss",
            "subdomain",
            "grant",
            "return_to",
            "invitation",
            "code[]",
            "proof",
        ),
        *("=", "&", "&&", "%", "%00", "%ff", "%ED%A0%80", "%0d%0a", "+", ";", "\ud800", "\u2028", "x" * 8200),
        *(
            "acme",
            "default",
            "https://other.example.com/",
            "https://acme.zendesk.com",
            "access_denied",
            "server_error",
        ),
        *(examples.state("A").text, examples.state("B").text, examples.install_id("A"), "A" * 43),
        *sorted(ERROR_CODES),
    ]
)
_QUERIES = st.lists(_TOKENS | _ANY_TEXT, max_size=14).map("".join)
_COOKIES = st.lists(
    st.sampled_from(
        [examples.cookie("A"), examples.cookie("B"), examples.cookie("A") + "x", "", ";", "=", "a"]
    )
    | _ANY_TEXT,
    max_size=12,
)
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_ANY_TEXT, inner, max_size=4),
    max_leaves=8,
)
_BODIES = (
    _ANY_TEXT
    | st.sampled_from(
        ['{"user":"u"}', '{"user":"\\ud800"}', "[" * 4096, "{" * 5000, '{"user":"u","user":"u"}']
    )
    | st.fixed_dictionaries(
        {"user": _ANY_TEXT}, optional={"grant": _ANY_TEXT, "subdomain": _ANY_TEXT, "return_to": _ANY_TEXT}
    ).map(json.dumps)
)


@st.composite
def events(draw: st.DrawFn, method: str, path: str) -> Any:
    """Draw an event: of the right shape with nasty values, or with any of its parts replaced by any JSON."""
    event = api_event(
        draw(st.sampled_from([method] * 8 + ["HEAD", "OPTIONS", ""])),
        draw(
            st.sampled_from([path] * 4 + ["/", "/invitations"])
            | _ANY_TEXT.map(lambda text: f"/installs/{text}/confirm")
        ),
        draw(_QUERIES),
        cookies=draw(_COOKIES),
        body=draw(st.none() | _BODIES),
    )
    event["isBase64Encoded"] = draw(st.sampled_from([False, False, False, True]))
    for name in draw(st.lists(st.sampled_from([*event, "requestContext"]), max_size=2)):
        event[name] = draw(_JSON)
    return draw(st.sampled_from([event] * 15 + [draw(_JSON)]))


def flow(mode: StartMode = StartMode.OPEN) -> Flow:
    """Return a deployment with two pending examples in it."""
    running = Flow(mode=mode, site_url=SITE_URL)
    now = running.clock.now()
    for letter in "AB":
        install = examples.pending(letter, created_at=now, expires_at=now + timedelta(minutes=10))
        running.installs_store.put_if_absent(install)
    return running


def check(answer: Any) -> None:
    """Hold an answer to what every answer is."""
    assert 200 <= answer["statusCode"] < 500
    assert answer["headers"].keys() >= HEADERS
    for value in (*answer["headers"].values(), *answer.get("cookies", [])):
        assert value.isprintable()
        assert value.isascii()
    answer["body"].encode()


def fuzz(count: int) -> settings:
    """Return settings for that many examples, however nasty and slow to draw they are."""
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
    )


@fuzz(EXAMPLES // 10)
@given(event=events("GET", "/oauth/start"), mode=st.sampled_from(StartMode))
def test_start(event: Any, mode: StartMode) -> None:
    """No event makes start fail or answer without its headers."""
    check(flow(mode).start(event, None))


@fuzz(EXAMPLES // 10)
@given(event=events("POST", "/oauth/start"), mode=st.sampled_from(StartMode), body=_QUERIES)
def test_continue(event: Any, mode: StartMode, body: str) -> None:
    """No POST makes start fail, and none without the cookie of its page gets as far as the store."""
    running = flow(mode)
    if isinstance(event, dict):
        event["body"] = body
    running.installs_store.calls.clear()
    answer: Any = running.start(event, None)
    check(answer)
    is_post = isinstance(event, dict) and method_of_event(event) == "POST"
    assert not is_post or (answer["statusCode"] >= 400 and running.installs_store.calls == [])


def method_of_event(event: Any) -> object:
    """Return the method of an event, or None where it has none."""
    context = event.get("requestContext")
    http = context.get("http") if isinstance(context, dict) else None
    return http.get("method") if isinstance(http, dict) else None


@fuzz(EXAMPLES)
@given(event=events("GET", "/oauth/callback"))
def test_callback(event: Any) -> None:
    """No event makes callback fail, and none without the cookie's own secret moves an install."""
    running = flow()
    check(running.callback(event, None))
    proofs = [examples.browser(letter).reveal() in str(event) for letter in "AB"]
    assert any(proofs) or running.statuses == ["pending", "pending"]


@fuzz(EXAMPLES // 10)
@given(event=events("POST", "/invitations"), mode=st.sampled_from(StartMode))
def test_installs(event: Any, mode: StartMode) -> None:
    """No event makes installs fail."""
    check(flow(mode).installs(event, None))


@pytest.mark.parametrize("letter", ["A", "B"])
def test_the_fuzzed_parts_do_make_a_callback(letter: str) -> None:
    """The parts that are drawn from can end an install: the fuzz reaches beyond the first check."""
    running = flow()
    query = f"error=access_denied&state={examples.state(letter).text}"
    event = api_event("GET", "/oauth/callback", query, cookies=[examples.cookie(letter)])
    check(running.callback(event, None))
    assert "denied" in running.statuses
