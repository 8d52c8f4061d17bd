"""The API: the bearer, the scopes, the person's role, and how a token ends."""

import pytest

from local.zendesk.accounts import OPENED_AT
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
        ("tickets:read", "GET", "tickets/1/comments.json", 200),
        ("tickets:write", "GET", "tickets/1/comments.json", 403),
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
    assert (ticket["subject"], ticket["description"]) == ("Late", "Still nothing.")
    assert comments(client, token, number) == [("Still nothing.", True), ("It came.", True)]
    assert client.api(token, "tickets.json").json()["count"] == 3


def comments(client: PlainClient, token: str, number: int, query: str = "") -> list[tuple[str, bool]]:
    """Return body and publicity of a ticket's comments."""
    answer = client.api(token, f"tickets/{number}/comments.json{query}").json()
    return [(comment["body"], comment["public"]) for comment in answer["comments"]]


def note(body: str, **changes: object) -> dict[str, object]:
    """Return the change of a ticket that adds an internal note."""
    return {"ticket": {"comment": {"body": body, "public": False}, **changes}}


def test_the_newest_comments_come_first_where_that_is_asked_for(client: PlainClient) -> None:
    """Proves that a note is internal, and that order and number of comments are the caller's choice."""
    token = client.pair(scope="read write")["access_token"]
    client.api(token, "tickets/1.json", method="PUT", json=note("Seen."))
    assert comments(client, token, 1)[1:] == [("Seen.", False)]
    assert comments(client, token, 1, "?sort=-created_at&page[size]=1") == [("Seen.", False)]
    answer = client.api(token, "tickets/1/comments.json?page[size]=1").json()
    assert answer["meta"] == {"has_more": True}


@pytest.mark.parametrize(
    ("order", "numbers"),
    [("id", [1, 2]), ("-id", [3, 2]), ("updated_at", [2, 1]), ("-updated_at", [3, 1]), ("status", [1, 2])],
)
def test_pages_of_tickets_come_in_the_order_that_is_asked_for(
    zendesk: StandIn, client: PlainClient, order: str, numbers: list[int]
) -> None:
    """Proves that the newest ticket can be asked for, and that the page says whether there are more."""
    token = client.pair(scope="read write")["access_token"]
    for subject in ("Changed", "New"):
        zendesk.clock.advance(60)
        if subject == "Changed":
            client.api(token, "tickets/1.json", method="PUT", json=note("Seen."))
        else:
            client.api(token, "tickets.json", method="POST", json=TICKET)
    page = client.api(token, f"tickets.json?sort={order}&page[size]=2").json()
    assert [ticket["id"] for ticket in page["tickets"]] == numbers
    assert page["meta"] == {"has_more": True}


def test_pages_of_tickets_know_few_orders(client: PlainClient) -> None:
    """Proves that pages by the time of creation are refused, as Zendesk's cursors refuse them."""
    token = client.pair(scope="read write")["access_token"]
    answer = client.api(token, "tickets.json?sort=-created_at&page[size]=1")
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidPaginationParameter")


def test_a_safe_update_fails_where_the_ticket_has_changed(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that of two notes with one stamp the second is 409, changes nothing, and may come with the new stamp."""
    token = client.pair(scope="read write")["access_token"]
    zendesk.clock.advance(1)
    for body, status in (("First", 200), ("Second", 409)):
        change = note(body, safe_update=True, updated_stamp=OPENED_AT)
        answer = client.api(token, "tickets/1.json", method="PUT", json=change)
        assert answer.status_code == status
    assert answer.json()["error"] == "UpdateConflict"
    assert comments(client, token, 1)[1:] == [("First", False)]
    stamp = client.api(token, "tickets/1.json").json()["ticket"]["updated_at"]
    change = note("Second", safe_update=True, updated_stamp=stamp)
    assert client.api(token, "tickets/1.json", method="PUT", json=change).status_code == 200


def test_a_closed_ticket_takes_no_comment(zendesk: StandIn, client: PlainClient) -> None:
    """Proves the 422 of a ticket that nobody can change any more."""
    token = client.pair(scope="read write")["access_token"]
    zendesk.accounts.get("acme").tickets[1]["status"] = "closed"
    answer = client.api(token, "tickets/1.json", method="PUT", json=note("Too late."))
    assert (answer.status_code, answer.json()["error"]) == (422, "RecordInvalid")
    assert len(comments(client, token, 1)) == 1


def test_tickets_have_a_rate_limit_by_switch(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that a 429 with Retry-After can be had of reading, commenting and listing comments, once each."""
    token = client.pair(scope="read write")["access_token"]
    calls = (("GET", "tickets/1.json"), ("GET", "tickets/1/comments.json"), ("PUT", "tickets/1.json"))
    for method, path in calls:
        zendesk.misbehave("too_many_requests", endpoint="tickets", retry_after=7)
        answers = [client.api(token, path, method=method, json=note("Seen.")) for _ in "ab"]
        assert [answer.status_code for answer in answers] == [429, 200]
        assert answers[0].headers["Retry-After"] == "7"
    assert comments(client, token, 1)[1:] == [("Seen.", False)]


def test_an_account_has_so_many_calls_a_minute(zendesk: StandIn, client: PlainClient) -> None:
    """Proves the limit by switch: told on each answer, for each account alone, and over with the minute."""
    tokens = {name: client.pair(name)["access_token"] for name in ("acme", "globex")}
    zendesk.switches.requests_per_minute = 2
    zendesk.clock.advance(60 - zendesk.clock() % 60)
    answers = [client.api(tokens["acme"], "tickets/1.json") for _ in range(3)]
    told = [
        (one.status_code, one.headers["X-Rate-Limit"], one.headers["X-Rate-Limit-Remaining"])
        for one in answers
    ]
    assert told == [(200, "2", "1"), (200, "2", "0"), (429, "2", "0")]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert "Retry-After" not in answers[0].headers
    assert client.api(tokens["globex"], "tickets.json", subdomain="globex").status_code == 200
    zendesk.clock.advance(int(answers[-1].headers["Retry-After"]))
    assert client.api(tokens["acme"], "tickets/1.json").status_code == 200


def test_without_the_switch_no_limit_is_told(client: PlainClient) -> None:
    """Proves that the headers belong to the switch."""
    assert "X-Rate-Limit" not in client.api(client.pair()["access_token"], "tickets.json").headers


def test_what_is_not_there_or_no_ticket(client: PlainClient) -> None:
    """Proves the API's 404 and 422."""
    token = client.pair(scope="read write")["access_token"]
    assert client.api(token, "tickets/99.json").json()["error"] == "RecordNotFound"
    assert client.api(token, "tickets/99/comments.json").status_code == 404
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


def test_what_a_marketplace_app_says_of_itself_is_seen(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that its headers are noted with the call, and that a call without them has none."""
    client.session.headers["X-Zendesk-Marketplace-Name"] = "Example"
    client.api("unknown", "users/me.json")
    del client.session.headers["X-Zendesk-Marketplace-Name"]
    client.api("unknown", "users/me.json")
    said = [call.marketplace for call in zendesk.seen.api_calls]
    assert said == [{"X-Zendesk-Marketplace-Name": "Example"}, {}]
