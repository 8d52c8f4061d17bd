"""The control routes: the same switches over HTTP, and nothing secret shown."""

import hashlib
from typing import Any

import pytest

from local.zendesk.faults import ENDPOINTS
from local.zendesk.misbehaviours import KINDS
from local.zendesk.person import approve, deny
from local.zendesk.standin import StandIn
from tests.standin.client import CLIENT_SECRET, VERIFIER, PlainClient, answered


def seen(client: PlainClient) -> Any:
    """Return what the stand-in tells of what it was asked."""
    return client.control("GET", "seen").json()


def test_misbehaviours_over_http(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that misbehaviours can be queued, listed and cleared over HTTP."""
    queued = {"kind": "too_many_requests", "times": 2, "subdomain": "acme", "retry_after": 1}
    assert client.control("POST", "faults", queued).status_code == 204
    assert client.refresh("x").headers["Retry-After"] == "1"
    [to_come] = client.control("GET", "faults").json()["to_come"]
    assert (to_come["kind"], to_come["times"], to_come["options"]) == (
        "too_many_requests",
        1,
        {"retry_after": 1},
    )
    client.control("DELETE", "faults")
    assert zendesk.faults.to_come() == []


def test_the_catalogue_names_everything(client: PlainClient) -> None:
    """Proves that every kind and every place can be looked up."""
    answer = client.control("GET", "faults").json()
    assert set(answer["kinds"]) == set(KINDS)
    assert tuple(answer["endpoints"]) == ENDPOINTS
    assert answer["kinds"]["late_answer"]["options"] == {"seconds": 1.0}


def test_switches_over_http(client: PlainClient) -> None:
    """Proves that switches can be read and turned over HTTP, and turned back by a reset."""
    changes = {"drop_state_on_deny": True, "iss": "https://evil.example", "role": "agent"}
    assert client.control("PATCH", "switches", changes).json().items() >= changes.items()
    query = answered(deny(client.authorize_url()))
    assert "state" not in query
    assert query["iss"] == "https://evil.example"
    client.control("POST", "reset")
    assert client.control("GET", "switches").json() == {
        "drop_state_on_deny": False,
        "iss": None,
        "role": None,
        "anonymous": False,
        "refuse_delete": False,
        "success_status": 200,
        "requests_per_minute": None,
        "reuse_ends_family": False,
    }


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "faults", {"kind": "explode"}),
        ("POST", "faults", {"times": 1}),
        ("POST", "faults", {"kind": "html", "colour": "red"}),
        ("POST", "faults", []),
        ("POST", "faults", {"kind": "html", "times": "twice"}),
        ("PATCH", "switches", {"moon": True}),
        ("PATCH", "switches", {"anonymous": "yes"}),
        ("PATCH", "switches", {"reuse_ends_family": 1}),
        ("POST", "clock", {"advance": "soon"}),
        ("POST", "accounts/acme/rename", {"to": "Not-A-Label"}),
        ("DELETE", "accounts/Not-A-Label", None),
        ("DELETE", "accounts/acme/people/nobody", None),
        ("POST", "accounts/acme/tickets", {"subject": "no body"}),
        ("POST", "accounts/acme/webhooks", {"endpoint": "https://evil.example/"}),
        ("PATCH", "switches", {"requests_per_minute": "many"}),
    ],
)
def test_wrong_wishes_are_told(
    zendesk: StandIn, client: PlainClient, method: str, path: str, body: object
) -> None:
    """Proves that a wrong wish is 400 with a reason, and changes nothing."""
    answer = client.control(method, path, body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert zendesk.faults.to_come() == []
    assert not zendesk.switches.anonymous


def test_counts_by_grant_type_and_subdomain(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that requests to the token endpoint are counted, the badly answered too."""
    pair = client.pair("acme")
    client.pair("globex")
    zendesk.misbehave("server_error")
    client.refresh(pair["refresh_token"])
    assert seen(client)["token_posts"] == {
        "total": 3,
        "by_grant_type": {"authorization_code": 2, "refresh_token": 1},
        "by_subdomain": {"acme": 2, "globex": 1},
    }
    assert (zendesk.seen.count(), zendesk.seen.count("refresh_token"), zendesk.seen.count(None, "acme")) == (
        3,
        1,
        2,
    )
    client.control("POST", "reset")
    assert seen(client)["token_posts"]["total"] == 0


def test_requests_are_told_by_field_and_never_by_secret(client: PlainClient) -> None:
    """Proves that the record has every field's name and PKCE's method, and no secret anywhere in it."""
    code = client.code()
    pair = client.exchange(code).json()
    refreshed = client.refresh(pair["refresh_token"]).json()
    client.api(refreshed["access_token"], "users/me.json")
    report = client.control("GET", "seen")
    request = report.json()["token_requests"][0]
    assert set(request["fields"]) == {
        *("grant_type", "code", "client_id", "client_secret", "redirect_uri", "code_verifier"),
        *("scope", "expires_in", "refresh_token_expires_in"),
    }
    assert request["content_type"] == "application/x-www-form-urlencoded"
    assert report.json()["authorization_requests"][0]["parameters"]["code_challenge_method"] == "S256"
    assert request["fields"]["code"] == f"sha256:{hashlib.sha256(code.encode()).hexdigest()}…{code[-4:]}"
    everything = report.text + client.control("GET", "tokens").text + client.control("GET", "faults").text
    secrets = (
        code,
        CLIENT_SECRET,
        VERIFIER,
        "id.secret",
        *(p[k] for p in (pair, refreshed) for k in p if "token" in k),
    )
    assert [
        secret for secret in secrets if str(secret) in everything and secret not in {"bearer", 7776000}
    ] == []


def test_raw_fields_are_for_the_same_process(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that a test in this process sees the fields as they were sent, but not in a repr."""
    client.exchange(client.code())
    raw = zendesk.seen.token_posts[0].raw
    assert raw is not None
    assert (raw["code_verifier"], raw["client_secret"]) == (VERIFIER, CLIENT_SECRET)
    assert VERIFIER not in repr(zendesk.seen.token_posts)


def test_tokens_alive_and_their_revocation(client: PlainClient) -> None:
    """Proves that living tokens can be counted per account and revoked one by one or all."""
    pairs = [client.pair("acme"), client.pair("acme"), client.pair("globex")]
    alive = client.control("GET", "tokens?subdomain=acme").json()["alive"]
    assert [(one["subdomain"], one["role"], one["is_live"]) for one in alive] == [("acme", "admin", True)] * 2
    assert client.control("DELETE", f"tokens/{alive[0]['id']}").json() == {"revoked": 1}
    assert client.control("DELETE", "tokens/1").json() == {"revoked": 0}
    assert not client.is_alive(pairs[0]["access_token"])
    assert client.control("DELETE", "accounts/acme/tokens").json() == {"revoked": 1}
    assert len(client.control("GET", "tokens").json()["alive"]) == 1


def test_customers_act_over_http(client: PlainClient) -> None:
    """Proves that accounts can be renamed and deleted and people removed over HTTP."""
    token = client.pair("acme")["access_token"]
    assert client.control("POST", "accounts/acme/rename", {"to": "acme-new"}).status_code == 204
    assert client.is_alive(token, "acme-new")
    assert client.control("DELETE", "accounts/acme-new/people/admin").status_code == 204
    assert not client.is_alive(token, "acme-new")
    assert client.control("DELETE", "accounts/acme-new").status_code == 204
    assert client.api(token, "users/me.json", subdomain="acme-new").status_code == 404


def test_the_clock_can_be_moved(client: PlainClient) -> None:
    """Proves that time can be moved over HTTP: a code is over two minutes later."""
    code = client.code()
    client.control("POST", "clock", {"advance": 121})
    assert client.exchange(code).json()["error"] == "invalid_grant"


def test_the_client_can_be_changed(client: PlainClient) -> None:
    """Proves that secrets and redirect addresses can be changed over HTTP."""
    client.control("POST", "client", {"secrets": ["new"], "redirect_uris": ["http://localhost:9/cb"]})
    assert client.exchange(client.code()).status_code == 401
    assert client.exchange(client.code(), client_secret="new").status_code == 200
    assert approve(client.authorize_url(redirect_uri="http://localhost:9/cb")).startswith(
        "http://localhost:9/cb?"
    )


def test_release_over_http(client: PlainClient) -> None:
    """Proves that the route to let late answers go is there."""
    assert client.control("POST", "release").status_code == 204
