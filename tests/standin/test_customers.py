"""What a customer's admin can do behind our back."""

import pytest

from local.zendesk.accounts import NoSuchAccountError
from local.zendesk.person import NotAskedError
from local.zendesk.standin import StandIn
from tests.standin.client import PlainClient


def test_an_admin_deletes_a_token(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that a deleted token and its refresh token are over, and others are not."""
    first, second = client.pair(), client.pair()
    assert zendesk.revoke_token(zendesk.alive("acme")[0].id)
    assert not client.is_alive(first["access_token"])
    assert client.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.is_alive(second["access_token"])
    assert not zendesk.revoke_token(1)


def test_a_deleted_account_is_gone(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that every route of a deleted account is an HTML 404, and its neighbour's is not."""
    pair, neighbour = client.pair("acme"), client.pair("globex")
    zendesk.delete_account("acme")
    for answer in (client.refresh(pair["refresh_token"]), client.api(pair["access_token"], "users/me.json")):
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert zendesk.seen.token_posts[-1].status == 404
    assert zendesk.seen.api_calls[-1].status == 404
    with pytest.raises(NotAskedError):
        client.code("acme")
    with pytest.raises(NoSuchAccountError):
        zendesk.delete_account("acme")
    assert client.is_alive(neighbour["access_token"], "globex")
    assert [len(zendesk.alive(name)) for name in ("acme", "globex")] == [0, 1]


def test_a_renamed_account_has_no_old_name(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that nothing leads from the old name to the new one, where the same tokens are good."""
    pair = client.pair("acme")
    zendesk.rename_subdomain("acme", "acme-new")
    assert client.api(pair["access_token"], "users/me.json").status_code == 404
    assert client.is_alive(pair["access_token"], "acme-new")
    assert client.refresh(pair["refresh_token"], "acme-new").status_code == 200


@pytest.mark.parametrize("name", ["globex", "Not-A-Label", ""])
def test_a_name_must_be_free_and_a_label(zendesk: StandIn, client: PlainClient, name: str) -> None:
    """Proves that a taken or impossible name is refused and changes nothing."""
    pair = client.pair("acme")
    client.pair("globex")
    with pytest.raises(ValueError, match="cannot be had"):
        zendesk.rename_subdomain("acme", name)
    assert client.is_alive(pair["access_token"])


def test_tokens_die_with_their_person(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that a person who is removed takes the tokens along, and those of others stay."""
    admin, agent = client.pair(role="admin"), client.pair(role="agent")
    zendesk.remove_person("acme", "admin")
    assert not client.is_alive(admin["access_token"])
    assert client.is_alive(agent["access_token"])
    with pytest.raises(NotAskedError):
        client.code(role="admin")
