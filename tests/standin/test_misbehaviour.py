"""Every misbehaviour, as a caller sees it on the wire, and what it leaves behind."""

import contextlib
import json
import zlib
from email.utils import parsedate_to_datetime
from threading import Thread
from time import monotonic, sleep

import pytest
import requests

from local.zendesk import misbehaviours
from local.zendesk.standin import StandIn
from tests.standin.client import CLIENT_SECRET, SCOPE, PlainClient


@pytest.mark.parametrize(
    ("kind", "status", "worked"),
    [
        ("html", 200, True),
        ("server_error", 503, False),
        ("empty_object", 200, True),
        ("no_content", 204, True),
        ("redirect", 307, False),
        ("too_many_requests", 429, False),
        ("oauth_error", 400, False),
        ("answer", 200, False),
    ],
)
def test_replaced_answers_and_whether_the_work_was_done(
    zendesk: StandIn, client: PlainClient, kind: str, status: int, *, worked: bool
) -> None:
    """Proves the status of each replaced answer, and whether a rotation stands behind it."""
    pair = client.pair()
    zendesk.misbehave(kind)
    assert client.refresh(pair["refresh_token"]).status_code == status
    assert client.is_alive(pair["access_token"]) is not worked
    assert client.refresh(pair["refresh_token"]).status_code == (400 if worked else 200)


@pytest.mark.parametrize("kind", ["html", "server_error", "empty_object", "no_content", "redirect", "lost"])
@pytest.mark.parametrize("worked", [True, False])
def test_the_work_can_be_done_or_not(
    zendesk: StandIn, client: PlainClient, kind: str, *, worked: bool
) -> None:
    """Proves that a bad answer can be had with and without the rotation behind it."""
    pair = client.pair()
    zendesk.misbehave(kind, worked=worked)
    if kind == "lost":
        with pytest.raises(requests.ConnectionError):
            client.refresh(pair["refresh_token"])
    else:
        client.refresh(pair["refresh_token"])
    assert client.is_alive(pair["access_token"]) is not worked


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_errors_are_html(zendesk: StandIn, client: PlainClient, status: int) -> None:
    """Proves that 5xx comes with an HTML page."""
    zendesk.misbehave("server_error", status=status)
    answer = client.refresh("x")
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")


def test_null_token(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that the access token can be null in an otherwise good answer."""
    zendesk.misbehave("null_token")
    answer = client.exchange(client.code()).json()
    assert answer["access_token"] is None
    assert answer["refresh_token"]


@pytest.mark.parametrize("keeps_old", [True, False])
def test_no_refresh_token(zendesk: StandIn, client: PlainClient, *, keeps_old: bool) -> None:
    """Proves that a refresh answer can lack its refresh token, and that the old one then goes on working or not."""
    old = client.pair()
    zendesk.misbehave("no_refresh_token", keeps_old=keeps_old)
    new = client.refresh(old["refresh_token"]).json()
    assert "refresh_token" not in new
    assert not client.is_alive(old["access_token"])
    assert client.is_alive(new["access_token"])
    assert client.refresh(old["refresh_token"]).status_code == (200 if keeps_old else 400)


def test_no_refresh_token_on_an_exchange(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that the first answer can lack its refresh token, too."""
    zendesk.misbehave("no_refresh_token")
    answer = client.exchange(client.code())
    assert (answer.status_code, "access_token" in answer.json()) == (200, True)
    assert "refresh_token" not in answer.json()


@pytest.mark.parametrize("value", ["mac", "", None, 7])
def test_token_type(zendesk: StandIn, client: PlainClient, value: object) -> None:
    """Proves that the token type can be anything."""
    zendesk.misbehave("token_type", value=value)
    assert client.exchange(client.code()).json()["token_type"] == value


@pytest.mark.parametrize(
    ("options", "scope"), [({}, "users:read"), ({"scopes": "tickets:read"}, "tickets:read")]
)
def test_fewer_scopes(zendesk: StandIn, client: PlainClient, options: dict[str, object], scope: str) -> None:
    """Proves that fewer scopes are told, and that the token really has no more."""
    zendesk.misbehave("fewer_scopes", **options)  # type: ignore[arg-type]  # mypy takes them for the named ones
    answer = client.exchange(client.code()).json()
    assert answer["scope"] == scope
    statuses = [
        client.api(answer["access_token"], path).status_code for path in ("users/me.json", "tickets.json")
    ]
    assert statuses == ([200, 403] if scope == "users:read" else [403, 200])


@pytest.mark.parametrize("value", [0, -1, "1800", 1e12, None, "soon"])
def test_odd_lifetimes(zendesk: StandIn, client: PlainClient, value: object) -> None:
    """Proves that either lifetime can be odd, the token being none the worse."""
    for field in ("expires_in", "refresh_token_expires_in"):
        zendesk.misbehave("expires_in", value=value, field=field)
        answer = client.exchange(client.code()).json()
        assert answer[field] == value
        assert client.is_alive(answer["access_token"])


def test_missing_lifetimes(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that lifetimes can be missing although they were asked for."""
    zendesk.misbehave("no_expires_in")
    assert set(client.exchange(client.code()).json()) == {
        "access_token",
        "refresh_token",
        "token_type",
        "scope",
    }


def test_big_body(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that a good answer can have a megabyte of padding."""
    zendesk.misbehave("big_body")
    answer = client.exchange(client.code())
    assert len(answer.content) > 1_000_000
    assert client.is_alive(answer.json()["access_token"])


def test_gzip_bomb(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that a small body unpacks to a hundred megabytes, counted without keeping them."""
    zendesk.misbehave("gzip_bomb")
    body = {"grant_type": "refresh_token"}
    url = f"{client.address}/acme/oauth/tokens"
    with client.session.post(url, data=body, timeout=10, stream=True) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        packed = answer.raw.read(decode_content=False)
    assert len(packed) < 200_000
    unpacked, rest = 0, packed
    while rest:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        unpacked += len(unpacker.decompress(rest))
        rest = unpacker.unused_data
    assert unpacked > 100_000_000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_leads_to_another_host_where_it_is_counted(
    zendesk: StandIn, client: PlainClient, status: int
) -> None:
    """Proves that a redirect names another host, and that whoever follows it is seen there."""
    zendesk.misbehave("redirect", status=status)
    answer = client.refresh("x")
    assert answer.status_code == status
    assert answer.headers["Location"].startswith("http://localhost:")
    assert zendesk.seen.elsewhere == []
    client.session.post(answer.headers["Location"], timeout=10)
    assert zendesk.seen.elsewhere == ["POST"]


@pytest.mark.parametrize("retry_after", [1, "60", "garbage", -5])
def test_retry_after(zendesk: StandIn, client: PlainClient, retry_after: str | int) -> None:
    """Proves that 429 carries the Retry-After it was told to."""
    zendesk.misbehave("too_many_requests", retry_after=retry_after)
    answer = client.refresh("x")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(retry_after))


def test_retry_after_as_a_date_or_not_at_all(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that Retry-After can be a date a minute from now, or missing."""
    zendesk.misbehave("too_many_requests", retry_after="date")
    at = parsedate_to_datetime(client.refresh("x").headers["Retry-After"]).timestamp()
    assert 55 < at - zendesk.clock() <= 60
    zendesk.misbehave("too_many_requests")
    assert "Retry-After" not in client.refresh("x").headers


@pytest.mark.parametrize(
    "error",
    """invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope
    something_else""".split(),  # noqa: SIM905  # reads better than a list
)
def test_every_error_of_the_token_endpoint(zendesk: StandIn, client: PlainClient, error: str) -> None:
    """Proves that every error of RFC 6749 section 5.2, and one of nobody's, can be had, invalid_client as 401."""
    zendesk.misbehave("oauth_error", error=error)
    answer = client.exchange(client.code())
    assert answer.json()["error"] == error
    assert answer.status_code == (401 if error == "invalid_client" else 400)


def test_invalid_client_for_everybody_until_cleared(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that a misbehaviour can last for all accounts, and that no token is hurt by it."""
    pairs = {name: client.pair(name) for name in ("acme", "globex")}
    zendesk.misbehave("oauth_error", times=None, error="invalid_client")
    for _ in range(3):
        assert [client.refresh(pairs[name]["refresh_token"], name).status_code for name in pairs] == [
            401,
            401,
        ]
    zendesk.faults.clear()
    assert [client.refresh(pairs[name]["refresh_token"], name).status_code for name in pairs] == [200, 200]


def test_half_an_answer(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that a body can end before its promised length, the work being done."""
    pair = client.pair()
    zendesk.misbehave("cut_body")
    with pytest.raises(requests.exceptions.RequestException):
        client.refresh(pair["refresh_token"])
    assert not client.is_alive(pair["access_token"])


def test_a_lost_exchange_has_used_its_code(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that an answer can be lost after the issue, and that the record says it was never answered."""
    code = client.code()
    zendesk.misbehave("lost")
    with pytest.raises(requests.ConnectionError):
        client.exchange(code)
    assert len(zendesk.alive("acme")) == 1
    assert client.exchange(code).json()["error"] == "invalid_grant"
    assert [post.status for post in zendesk.seen.token_posts] == [None, 400]


def release_later(zendesk: StandIn, seconds: float) -> None:
    """Let the late answers go `seconds` after the first of them came to wait, and until none is left."""
    while zendesk.pause.waiting == 0:
        sleep(0.005)
    sleep(seconds)
    while zendesk.pause.waiting:
        zendesk.release()
        sleep(0.005)


@pytest.mark.parametrize("kind", ["dripping_body", "dripping_headers"])
def test_dripping_answers_outlast_a_read_limit(zendesk: StandIn, client: PlainClient, kind: str) -> None:
    """Proves that a drip defeats a limit on silence: after many times that limit it is still coming."""
    zendesk.misbehave(kind, every=0.02)
    release = Thread(target=release_later, args=(zendesk, 0.4))
    release.start()
    began = monotonic()
    with contextlib.suppress(requests.exceptions.RequestException):  # headers that just end are taken for all
        client.session.post(f"{client.address}/acme/oauth/tokens", data={"grant_type": "x"}, timeout=0.15)
    assert monotonic() - began > 0.35
    release.join(5)


def test_a_late_answer_comes_after_the_work(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that the rotation can be done while its answer is still away."""
    pair = client.pair()
    zendesk.misbehave("late_answer", seconds=30)
    late = Thread(target=client.refresh, args=(pair["refresh_token"],))
    late.start()
    with PlainClient(zendesk.address) as other:
        while zendesk.pause.waiting == 0:
            sleep(0.005)
        assert not other.is_alive(pair["access_token"])
        assert late.is_alive()
        zendesk.release()
        late.join(5)
    assert not late.is_alive()
    assert zendesk.seen.token_posts[-1].status == 200


def test_late_work_can_be_overtaken(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that a request can lie about before its work, so that a later one rotates first."""
    pair = client.pair()
    zendesk.misbehave("late_work", seconds=30)
    late = Thread(target=client.refresh, args=(pair["refresh_token"],))
    late.start()
    while zendesk.pause.waiting == 0:
        sleep(0.005)
    with PlainClient(zendesk.address) as other:
        assert other.is_alive(pair["access_token"])
        assert other.refresh(pair["refresh_token"]).status_code == 200
    zendesk.release()
    late.join(5)
    assert [post.status for post in zendesk.seen.token_posts] == [200, 400, 200]


@pytest.mark.parametrize("kind", ["late_answer", "late_work"])
def test_lateness_is_in_seconds(zendesk: StandIn, client: PlainClient, kind: str) -> None:
    """Proves that a late answer is good and comes after the seconds it was told."""
    code = client.code()
    zendesk.misbehave(kind, seconds=0.3)
    began = monotonic()
    assert client.exchange(code).status_code == 200
    assert monotonic() - began >= 0.3


def test_the_work_may_fail_behind_an_edited_answer(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that an error is not edited: it comes as it is."""
    zendesk.misbehave("null_token")
    assert client.refresh("unknown").json()["error"] == "invalid_grant"


def test_misbehaviours_queue_up_and_count_down(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that misbehaviours come in order, each as often as it was told, and then are over."""
    pair = client.pair()
    zendesk.misbehave("server_error", times=2)
    zendesk.misbehave("too_many_requests")
    statuses = [client.refresh(pair["refresh_token"]).status_code for _ in range(4)]
    assert statuses == [503, 503, 429, 200]


def test_misbehaviours_can_be_for_one_account_or_grant_type(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that others are not touched by a misbehaviour meant for one account and one kind of request."""
    zendesk.misbehave("server_error", subdomain="globex", grant_type="refresh_token")
    acme, globex = client.pair("acme"), client.pair("globex")
    assert client.refresh(acme["refresh_token"], "acme").status_code == 200
    assert client.refresh(globex["refresh_token"], "globex").status_code == 503
    assert client.refresh(globex["refresh_token"], "globex").status_code == 200


@pytest.mark.parametrize(
    ("kind", "options", "status"),
    [
        ("invalid_token", {}, 401),
        ("forbidden", {}, 403),
        ("too_many_requests", {"retry_after": 1}, 429),
        ("server_error", {"status": 500}, 500),
        ("html", {}, 200),
        ("answer", {"body": json.dumps({"user": {"id": None}})}, 200),
    ],
)
@pytest.mark.parametrize("endpoint", ["users_me", "api"])
def test_the_api_misbehaves_too(
    zendesk: StandIn, client: PlainClient, kind: str, options: dict[str, object], status: int, endpoint: str
) -> None:
    """Proves that users/me, alone or with all of the API, can answer badly once, the token being good."""
    token = client.pair()["access_token"]
    zendesk.misbehave(kind, endpoint=endpoint, **options)  # type: ignore[arg-type]  # mypy takes them for the named ones
    if endpoint == "users_me":
        assert client.api(token, "tickets.json").status_code == 200
    answer = client.api(token, "users/me.json")
    assert answer.status_code == status
    assert "Ada" not in answer.text
    assert client.api(token, "users/me.json").json()["user"]["role"] == "admin"


@pytest.mark.parametrize(
    ("endpoint", "method", "path"),
    [
        ("tickets", "GET", "tickets.json"),
        ("current_token", "GET", "oauth/tokens/current.json"),
        ("delete_token", "DELETE", "oauth/tokens/current.json"),
    ],
)
def test_each_route_of_the_api_has_its_own(
    zendesk: StandIn, client: PlainClient, endpoint: str, method: str, path: str
) -> None:
    """Proves that each route can be told apart."""
    token = client.pair()["access_token"]
    zendesk.misbehave("server_error", endpoint=endpoint)
    assert client.api(token, "users/me.json").status_code == 200
    assert client.api(token, path, method=method).status_code == 503


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "explode"},
        {"kind": "html", "colour": "red"},
        {"kind": "html", "endpoint": "moon"},
        {"kind": "html", "times": 0},
    ],
)
def test_what_cannot_be_asked_for(zendesk: StandIn, wrong: dict[str, object]) -> None:
    """Proves that an unknown kind, option or place, and a number below one, are refused and queue nothing."""
    with pytest.raises(ValueError):
        zendesk.misbehave(**wrong)  # type: ignore[arg-type]  # wrong on purpose
    assert zendesk.faults.to_come() == []


def test_every_kind_plays_with_its_defaults(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that each misbehaviour in the catalogue can be played as it stands, and says what it does."""
    for kind, entry in misbehaviours.catalogue().items():
        assert entry["does"], kind
        code = client.code(scope=SCOPE)
        options = {"seconds": 0.01} if kind.startswith("late_") else {}
        zendesk.misbehave(kind, **options)  # type: ignore[arg-type]  # mypy takes them for the named ones
        if kind.startswith("dripping"):
            while_dripping = pytest.raises(requests.exceptions.RequestException)
            url = f"{client.address}/acme/oauth/tokens"
            with (
                while_dripping,
                client.session.post(url, data={"code": code}, timeout=0.1, stream=True) as drip,
            ):
                next(drip.iter_content(8))
        elif kind in {"lost", "cut_body"}:
            with pytest.raises(requests.exceptions.RequestException):
                client.exchange(code)
        elif kind != "gzip_bomb":  # proven above, without unpacking it in here
            assert client.exchange(code, client_secret=CLIENT_SECRET).status_code
        zendesk.faults.clear()
        zendesk.release()
    assert zendesk.faults.to_come() == []
