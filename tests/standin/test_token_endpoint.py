"""The token endpoint when it behaves."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import Any

import pytest
import requests

from local.zendesk.server import running_zendesk
from local.zendesk.settings import Settings
from local.zendesk.standin import StandIn
from local.zendesk.tokens import TokenPair
from tests.standin.client import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, SCOPE, VERIFIER, PlainClient


def test_an_exchange_gives_a_whole_answer(client: PlainClient) -> None:
    """Proves the answer's fields, and that the lifetimes are those asked for."""
    answer = client.pair()
    assert set(answer) == {
        *("access_token", "refresh_token", "token_type", "scope", "expires_in", "refresh_token_expires_in")
    }
    assert (answer["token_type"], answer["scope"]) == ("bearer", SCOPE)
    assert (answer["expires_in"], answer["refresh_token_expires_in"]) == (172800, 7776000)


def test_lifetimes_are_told_only_if_asked_for(zendesk: StandIn, client: PlainClient) -> None:
    """Proves Zendesk's trap: no lifetime in the answer unless asked for; the token lives 30 minutes all the same."""
    answer = client.exchange(client.code(), expires_in=None, refresh_token_expires_in=None).json()
    assert set(answer) == {"access_token", "refresh_token", "token_type", "scope"}
    zendesk.clock.advance(29 * 60)
    assert client.is_alive(answer["access_token"])
    zendesk.clock.advance(61)
    assert not client.is_alive(answer["access_token"])


@pytest.mark.parametrize(
    "changes",
    [
        *({"expires_in": value} for value in ("299", "172801", "0", "-300", "3e3", "", "٣٠٠٠", "9" * 5000)),
        *({"refresh_token_expires_in": value} for value in ("604799", "7776001", "soon")),
    ],
)
def test_lifetimes_out_of_range_are_refused(client: PlainClient, changes: dict[str, str]) -> None:
    """Proves the ranges 300…172,800 and 604,800…7,776,000, on an exchange and on a refresh."""
    refused = client.exchange(client.code(), **changes)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    pair = client.pair()
    refused = client.refresh(pair["refresh_token"], **changes)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert client.is_alive(pair["access_token"])


@pytest.mark.parametrize(("access", "refresh"), [("300", "604800"), ("172800", "7776000")])
def test_the_ends_of_the_ranges_are_in_them(client: PlainClient, access: str, refresh: str) -> None:
    """Proves that both limits themselves are allowed."""
    answer = client.exchange(client.code(), expires_in=access, refresh_token_expires_in=refresh)
    assert answer.json()["expires_in"] == int(access)


def test_json_and_form_are_the_same(client: PlainClient) -> None:
    """Proves that a JSON body, numbers as numbers, is as good as a form."""
    body = {
        "grant_type": "authorization_code",
        "code": client.code(),
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
        "expires_in": 3600,
    }
    answer = client.session.post(f"{client.address}/acme/oauth/tokens", json=body, timeout=10)
    assert (answer.status_code, answer.json()["expires_in"]) == (200, 3600)


@pytest.mark.parametrize("body", ["[]", "{", '{"grant_type": null}', '{"expires_in": 1.5}'])
def test_what_is_no_request_is_an_invalid_one(zendesk: StandIn, client: PlainClient, body: str) -> None:
    """Proves that a body which is no object of texts and numbers is invalid_request, and is counted all the same."""
    url = f"{client.address}/acme/oauth/tokens"
    answer = client.session.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert [post.status for post in zendesk.seen.token_posts] == [400]


def test_repeated_fields_are_refused(client: PlainClient) -> None:
    """Proves that a repeated field of a form is invalid_request."""
    url = f"{client.address}/acme/oauth/tokens"
    fields = [("grant_type", "refresh_token"), ("refresh_token", "a"), ("refresh_token", "b")]
    assert client.session.post(url, data=fields, timeout=10).json()["error"] == "invalid_request"


def test_the_query_is_not_the_body(client: PlainClient) -> None:
    """Proves that credentials in the address are not read."""
    url = f"{client.address}/acme/oauth/tokens?grant_type=refresh_token&client_id={CLIENT_ID}"
    assert client.session.post(url, timeout=10).json()["error"] == "unsupported_grant_type"


def test_the_token_endpoint_is_for_post(client: PlainClient) -> None:
    """Proves that GET is not served."""
    assert client.session.get(f"{client.address}/acme/oauth/tokens", timeout=10).status_code == 405


def test_a_code_is_used_once(client: PlainClient) -> None:
    """Proves that the second use of a code is invalid_grant, and leaves the first pair alone."""
    code = client.code()
    pair = client.exchange(code).json()
    second = client.exchange(code)
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")
    assert client.is_alive(pair["access_token"])


@pytest.fixture
def slow_issue(zendesk: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let issuing take so long that requests without a lock would surely overtake each other."""
    issue = zendesk.tokens.issue

    def slowly(*arguments: Any) -> TokenPair:
        sleep(0.05)
        return issue(*arguments)

    monkeypatch.setattr(zendesk.tokens, "issue", slowly)


@pytest.mark.usefixtures("slow_issue")
def test_a_code_used_by_many_at_once_gives_one_pair(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that twenty exchanges of one code at the same moment give one pair."""
    code = client.code()
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: client.exchange(code).status_code, range(20)))
    assert sorted(statuses) == [200] + [400] * 19
    assert len(zendesk.alive("acme")) == 1


@pytest.mark.parametrize(("age", "status"), [(119, 200), (120, 400)])
def test_a_code_lives_two_minutes(age: int, status: int) -> None:
    """Proves that a code is good for less than 120 s, on a clock that stands still but for us."""
    with running_zendesk(clock=lambda: 1_000_000.0) as zendesk, PlainClient(zendesk.address) as client:
        code = client.code()
        zendesk.clock.advance(age)
        assert client.exchange(code).status_code == status


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": REDIRECT_URI + "/"},
        {"redirect_uri": None},
        {"code_verifier": "w" * 43},
        {"code": "unknown"},
    ],
)
def test_what_the_code_is_bound_to(client: PlainClient, changes: dict[str, str | None]) -> None:
    """Proves that another address or verifier, or an unknown code, is invalid_grant."""
    refused = client.exchange(client.code(), **changes)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_a_code_is_bound_to_its_account(client: PlainClient) -> None:
    """Proves that a code of one account is nothing at another's endpoint, and still good at its own."""
    code = client.code("acme")
    refused = client.exchange(code, "globex")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert client.exchange(code, "acme").status_code == 200


@pytest.mark.parametrize("verifier", [None, "short"])
def test_a_verifier_must_come_and_be_one(client: PlainClient, verifier: str | None) -> None:
    """Proves that a challenge asks for a well-formed verifier."""
    assert client.exchange(client.code(), code_verifier=verifier).json()["error"] == "invalid_request"


def test_a_verifier_without_challenge_is_refused(client: PlainClient) -> None:
    """Proves that PKCE cannot be taken out of the first leg only (RFC 9700, section 4.8)."""
    code = client.code(code_challenge=None, code_challenge_method=None)
    assert client.exchange(code).json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "changes",
    [{"client_secret": "wrong"}, {"client_secret": None}, {"client_id": "another"}, {"client_id": None}],
)
def test_wrong_credentials_are_invalid_client(client: PlainClient, changes: dict[str, str | None]) -> None:
    """Proves that wrong or missing credentials are 401 invalid_client, and burn neither code nor refresh token."""
    code = client.code()
    refused = client.exchange(code, **changes)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    pair = client.exchange(code).json()
    assert client.refresh(pair["refresh_token"], **changes).status_code == 401
    assert client.refresh(pair["refresh_token"]).status_code == 200


def test_credentials_in_a_header_are_not_read(client: PlainClient) -> None:
    """Proves that client_secret_basic is not served."""
    client.session.auth = (CLIENT_ID, CLIENT_SECRET)
    assert client.exchange(client.code(), client_secret=None).status_code == 401


@pytest.mark.parametrize("grant_type", ["client_credentials", "password", "", None])
def test_other_grants_are_unsupported(client: PlainClient, grant_type: str | None) -> None:
    """Proves that nothing but the two grants is served."""
    refused = client.exchange(client.code(), grant_type=grant_type)
    assert (refused.status_code, refused.json()["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("field", ["code", "refresh_token"])
def test_missing_fields_are_invalid_requests(client: PlainClient, field: str) -> None:
    """Proves that a request without its code or refresh token is invalid_request."""
    refused = client.exchange("x", code=None) if field == "code" else client.refresh("x", refresh_token=None)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_more_scope_than_was_asked_is_refused(client: PlainClient) -> None:
    """Proves that an exchange cannot ask for more than the person saw."""
    assert client.exchange(client.code(), scope="read").json()["error"] == "invalid_scope"


def test_unknown_scopes_are_dropped(client: PlainClient) -> None:
    """Proves that an unknown scope is no error: the token simply lacks it."""
    assert client.pair(scope="users:read moon:read tickets:read")["scope"] == "users:read tickets:read"


def test_rotation_kills_both_old_tokens_at_once(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that a refresh gives two new tokens and kills the two old ones, scope and lifetimes kept."""
    old = client.pair()
    new = client.refresh(old["refresh_token"]).json()
    assert not client.is_alive(old["access_token"])
    assert client.is_alive(new["access_token"])
    again = client.refresh(old["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert client.is_alive(new["access_token"])
    assert (new["scope"], new["expires_in"]) == (SCOPE, 172800)
    assert len({old["access_token"], old["refresh_token"], new["access_token"], new["refresh_token"]}) == 4
    assert len(zendesk.alive("acme")) == 1


@pytest.mark.usefixtures("slow_issue")
def test_many_refreshes_at_once_rotate_once(client: PlainClient) -> None:
    """Proves that twenty refreshes with one token at the same moment rotate it once."""
    old = client.pair()
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: client.refresh(old["refresh_token"]).status_code, range(20)))
    assert sorted(statuses) == [200] + [400] * 19


def test_reuse_ends_the_family_where_that_is_switched_on(client: PlainClient) -> None:
    """Proves that a spent refresh token, posted again, kills all that descends from it, and nothing else."""
    first, other = client.pair(), client.pair()
    second = client.refresh(first["refresh_token"]).json()
    third = client.refresh(second["refresh_token"]).json()
    assert client.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.is_alive(third["access_token"])
    client.control("PATCH", "switches", {"reuse_ends_family": True})
    assert client.refresh(second["refresh_token"], "globex").json()["error"] == "invalid_grant"
    assert client.refresh("never-issued").json()["error"] == "invalid_grant"
    assert client.is_alive(third["access_token"])
    assert client.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert not client.is_alive(third["access_token"])
    assert client.refresh(third["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.is_alive(other["access_token"])
    assert client.refresh(other["refresh_token"]).status_code == 200


def test_a_refresh_token_is_bound_to_its_account(client: PlainClient) -> None:
    """Proves that a refresh token is nothing at another account, and still good at its own."""
    old = client.pair()
    assert client.refresh(old["refresh_token"], "globex").json()["error"] == "invalid_grant"
    assert client.refresh(old["refresh_token"], "acme").status_code == 200


def test_a_refresh_token_outlives_its_access_token_but_not_its_own_end(
    zendesk: StandIn, client: PlainClient
) -> None:
    """Proves both ends, and that each refresh moves the refresh token's."""
    pair = client.exchange(client.code(), expires_in="300", refresh_token_expires_in="604800").json()
    for _ in range(2):
        zendesk.clock.advance(604_800 - 60)
        assert not client.is_alive(pair["access_token"])
        pair = client.refresh(pair["refresh_token"], refresh_token_expires_in="604800").json()
    zendesk.clock.advance(604_800 + 1)
    assert client.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_refresh_may_not_widen_its_scope(client: PlainClient) -> None:
    """Proves that more scope on a refresh is invalid_scope."""
    assert client.refresh(client.pair()["refresh_token"], scope="read").json()["error"] == "invalid_scope"


def test_two_secrets_can_be_valid_for_a_while(zendesk: StandIn, client: PlainClient) -> None:
    """Proves the replacing of a client secret: first both are valid, then only the new one."""
    zendesk.client.accept_secrets(CLIENT_SECRET, "new")
    assert client.exchange(client.code()).status_code == 200
    assert client.exchange(client.code(), client_secret="new").status_code == 200
    zendesk.client.accept_secrets("new")
    assert client.exchange(client.code()).status_code == 401


def test_success_can_be_201(zendesk: StandIn, client: PlainClient) -> None:
    """Proves the switch for the sources that say 201; errors keep their status."""
    zendesk.switches.success_status = 201
    code = client.code()
    assert client.exchange(code).status_code == 201
    assert client.exchange(code).status_code == 400


class TestMarked:
    """A stand-in whose codes and tokens are long and marked."""

    @pytest.fixture
    def zendesk_settings(self) -> Settings:
        """Return settings for tokens as long as JWTs."""
        return Settings(token_length=4000, mark="CANARY-")

    def test_codes_and_tokens_carry_the_mark(self, zendesk: StandIn, client: PlainClient) -> None:
        """Proves that the mark is in every code and token, which can be several kB long, and that repr shows none."""
        code = client.code()
        pair = client.exchange(code).json()
        for value in (code, pair["access_token"], pair["refresh_token"]):
            assert value.startswith("CANARY-")
            assert len(value) > 4000
        assert "CANARY-" not in repr(zendesk.alive("acme"))

    def test_nothing_of_it_is_logged(self, client: PlainClient, caplog: pytest.LogCaptureFixture) -> None:
        """Proves that the stand-in leaves no code or token in the logs of the process it shares with a test."""
        caplog.set_level("DEBUG")
        client.refresh(client.pair()["refresh_token"])
        assert "CANARY-" not in caplog.text
        assert VERIFIER not in caplog.text


def test_a_container_reaches_it_by_another_name(zendesk: StandIn, client: PlainClient) -> None:
    """`sam local` calls it as host.docker.internal, over plain HTTP, which Authlib takes from loopback alone."""
    fields = {"grant_type": "authorization_code", "code": client.code(), "client_id": CLIENT_ID}
    fields |= {"client_secret": CLIENT_SECRET, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
    answer = requests.post(
        f"{zendesk.url('acme')}/oauth/tokens",
        data=fields | {"scope": SCOPE},
        headers={"Host": "host.docker.internal:8001"},
        timeout=30,
    )
    assert answer.status_code == 200
