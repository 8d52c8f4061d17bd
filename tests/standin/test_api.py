"""The API: the bearer, the scopes, the person's role, and how a token ends."""

import pytest

from local.zendesk.standin import StandIn
from tests.standin.client import PlainClient

TICKET = {"ticket": {"subject": "Late", "comment": {"body": "Still nothing."}}}


@pytest.mark.parametrize("role", ["admin", "agent", "end-user"])
def test_users_me_tells_who_pressed_allow(client: PlainClient, role: str) -> None:
    """Proves that role and id are those of the person who pressed Allow, of any role."""
    user = client.api(client.pair(role=role)["access_token"], "users/me.json").json()["user"]
    assert user["role"] == role
    assert isinstance(user["id"], int)


def test_ids_differ_between_accounts(client: PlainClient) -> None:
    """Proves that the admins of two accounts are two people."""
    ids = {
        client.api(client.pair(name)["access_token"], "users/me.json", subdomain=name).json()["user"]["id"]
        for name in ("acme", "globex")
    }
    assert len(ids) == 2


def test_users_me_can_lie(zendesk: StandIn, client: PlainClient) -> None:
    """Proves the two switches: another role, and the anonymous user whose id is null."""
    token = client.pair()["access_token"]
    zendesk.switches.role = "agent"
    assert client.api(token, "users/me.json").json()["user"]["role"] == "agent"
    zendesk.switches.anonymous = True
    answer = client.api(token, "users/me.json")
    assert (answer.status_code, answer.json()["user"]["id"]) == (200, None)


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("users:read", "GET", "users/me.json", 200),
        ("read", "GET", "users/me.json", 200),
        ("tickets:read", "GET", "users/me.json", 403),
        ("write", "GET", "users/me.json", 403),
        ("users:write", "GET", "users/me.json", 403),
        ("tickets:read", "GET", "tickets.json", 200),
        ("read", "GET", "tickets/1.json", 200),
        ("users:read", "GET", "tickets.json", 403),
        ("tickets:write", "GET", "tickets/1.json", 403),
        ("tickets:write", "POST", "tickets.json", 201),
        ("write", "PUT", "tickets/1.json", 200),
        ("tickets:read", "POST", "tickets.json", 403),
        ("read", "PUT", "tickets/1.json", 403),
        ("users:read", "GET", "oauth/tokens/current.json", 200),
    ],
)
def test_scopes_decide(client: PlainClient, scope: str, method: str, path: str, status: int) -> None:
    """Proves that read covers every reading, write never does, and a missing scope is named."""
    token = client.pair(scope=scope)["access_token"]
    answer = client.api(token, path, method=method, json=TICKET if method != "GET" else None)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["error"] == "Forbidden"
        assert answer.json()["description"].startswith("You are missing the following required scopes: ")


def test_tickets_can_be_added_read_and_commented(client: PlainClient) -> None:
    """Proves that a ticket and its comment stay in the account they were made in."""
    token = client.pair(scope="tickets:read tickets:write")["access_token"]
    number = client.api(token, "tickets.json", method="POST", json=TICKET).json()["ticket"]["id"]
    comment = {"ticket": {"comment": {"body": "It came."}}}
    client.api(token, f"tickets/{number}.json", method="PUT", json=comment)
    ticket = client.api(token, f"tickets/{number}.json").json()["ticket"]
    assert (ticket["subject"], ticket["comments"]) == ("Late", ["Still nothing.", "It came."])
    assert client.api(token, "tickets.json").json()["count"] == 3


def test_what_is_not_there_or_no_ticket(client: PlainClient) -> None:
    """Proves the API's 404 and 422."""
    token = client.pair(scope="read write")["access_token"]
    assert client.api(token, "tickets/99.json").json()["error"] == "RecordNotFound"
    assert client.api(token, "tickets.json", method="POST", json=[]).status_code == 422


@pytest.mark.parametrize("path", ["users/me.json", "tickets.json", "oauth/tokens/current.json"])
@pytest.mark.parametrize("token", ["", "unknown"])
def test_a_bad_credential(client: PlainClient, path: str, token: str) -> None:
    """Proves that a missing or unknown token is 401, with Zendesk's own words."""
    answer = client.api(token, path)
    assert (answer.status_code, answer.json()) == (401, {"error": "Couldn't authenticate you"})


def test_a_token_is_nothing_at_another_account(client: PlainClient) -> None:
    """Proves that an account does not know another's tokens."""
    token = client.pair("acme")["access_token"]
    assert (
        client.api(token, "users/me.json", subdomain="globex").json()["error"] == "Couldn't authenticate you"
    )


@pytest.mark.parametrize("end", ["expired", "rotated", "revoked"])
def test_a_dead_token_is_invalid(zendesk: StandIn, client: PlainClient, end: str) -> None:
    """Proves that a token which was good once is invalid_token, however it ended."""
    pair = client.pair()
    if end == "expired":
        zendesk.clock.advance(172_801)
    elif end == "rotated":
        client.refresh(pair["refresh_token"])
    else:
        zendesk.revoke_all("acme")
    answer = client.api(pair["access_token"], "users/me.json")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_current_shows_the_token_and_hides_it(client: PlainClient) -> None:
    """Proves that tokens/current tells id and scopes, and never the whole token."""
    token = client.pair()["access_token"]
    answer = client.api(token, "oauth/tokens/current.json")
    entry = answer.json()["token"]
    assert entry["scopes"] == ["users:read", "tickets:read"]
    assert isinstance(entry["id"], int)
    assert token not in answer.text


def token_id(client: PlainClient, token: str) -> int:
    """Return the id that Zendesk knows a token by."""
    found: int = client.api(token, "oauth/tokens/current.json").json()["token"]["id"]
    return found


def test_delete_by_id_kills_the_pair(client: PlainClient) -> None:
    """Proves that deleting by id is 204 and ends access and refresh token."""
    pair = client.pair()
    number = token_id(client, pair["access_token"])
    assert client.api(pair["access_token"], f"oauth/tokens/{number}.json", method="DELETE").status_code == 204
    assert not client.is_alive(pair["access_token"])
    assert client.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"


def test_delete_by_current_only_says_so(client: PlainClient) -> None:
    """Proves Zendesk's trap: by `current` the answer is 204 and the token lives on."""
    token = client.pair()["access_token"]
    assert client.api(token, "oauth/tokens/current.json", method="DELETE").status_code == 204
    assert client.is_alive(token)


def test_delete_can_be_forbidden(zendesk: StandIn, client: PlainClient) -> None:
    """Proves the switch for grants that may not delete: 403, and the token lives."""
    zendesk.switches.refuse_delete = True
    token = client.pair()["access_token"]
    path = f"oauth/tokens/{token_id(client, token)}.json"
    assert client.api(token, path, method="DELETE").status_code == 403
    assert client.is_alive(token)


def test_delete_reaches_this_account_only(client: PlainClient) -> None:
    """Proves that a token can delete another one of its account, and none of another account."""
    first, second, stranger = client.pair(), client.pair(), client.pair("globex")
    for token, subdomain, status in ((stranger, "globex", 404), (second, "acme", 204)):
        path = f"oauth/tokens/{token_id(client, first['access_token'])}.json"
        answer = client.api(token["access_token"], path, method="DELETE", subdomain=subdomain)
        assert answer.status_code == status
    assert not client.is_alive(first["access_token"])
    assert client.is_alive(second["access_token"])


def test_calls_are_seen_without_their_tokens(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that the record of API calls has path and status, and no token."""
    token = client.pair()["access_token"]
    client.api(token, "users/me.json")
    call = zendesk.seen.api_calls[-1]
    assert (call.method, call.path, call.status) == ("GET", "/acme/api/v2/users/me.json", 200)
    assert token not in repr(zendesk.seen.api_calls)
