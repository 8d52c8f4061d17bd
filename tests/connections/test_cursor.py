"""Cursors, and whose listing they belong to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connections.doubles import InMemoryDirectory, summary
from tests.doubles.samples import ACME
from zendesk_oauth.errors import MalformedRequestError, SubdomainRefusedError
from zendesk_oauth.models.connection_summary import ConnectionPage, Cursor, ListQuestion
from zendesk_oauth.models.secret import base64url
from zendesk_oauth.models.subdomain import Subdomain, exact_subdomain
from zendesk_oauth.services.list_connections import ListConnections

_LABELS = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True).filter(
    lambda label: not label.startswith("xn--")
)


@given(grant=st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True), subdomain=_LABELS)
def test_a_cursor_comes_back_as_it_went(grant: str, subdomain: str) -> None:
    """Its text needs no escaping in a URL, and means the same place."""
    cursor = Cursor(grant, Subdomain(subdomain))
    assert Cursor.parse(cursor.text) == cursor
    assert Cursor.of_key(cursor.key) == cursor
    assert not set(cursor.text) & set("+/=%&#")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "=",
        "default#acme",
        "ZGVmYXVsdCNhY21l=",
        "ZGVmYXVsdCNhY21l\n",
        " ZGVmYXVsdCNhY21l",
        "ZGVm*YXVsdCNhY21l",
        "ZGVmYXVsdCNhY21lMB",
        "Ⓩ" * 12,
        base64url(b"default"),
        base64url(b"default#"),
        base64url(b"#acme"),
        base64url(b"Default#acme"),
        base64url(b"default#ACME"),
        base64url(b"default#acme.zendesk.com"),
        base64url(b"default#acme#acme"),
        base64url(b"def\nault#acme"),
        base64url(b"default#xn--acme"),
        base64url(b"\xff\xfe#acme"),
        base64url(b"default#" + b"a" * 64),
        base64url(b"g" * 33 + b"#acme"),
        base64url("default#äcme".encode()),
    ],
)
def test_what_no_page_has_given_is_no_cursor(text: str) -> None:
    """Forged, cut, padded or differently spelt ones are refused, never taken for a place."""
    with pytest.raises(MalformedRequestError):
        Cursor.parse(text)


def test_a_cursor_of_another_grant_is_refused() -> None:
    """Only in the listing of its own grant, or of all, is it a place."""
    directory = InMemoryDirectory(summary())
    list_connections = ListConnections(directory)
    cursor = Cursor("default", ACME)
    for grant in ("default", None):
        page = list_connections(ListQuestion(5, grant, cursor))
        assert page == ConnectionPage((summary(),), cursor)
    with pytest.raises(MalformedRequestError):
        list_connections(ListQuestion(5, "reporting", cursor))


@pytest.mark.parametrize(
    "text", ["ACME", "acme.zendesk.com", "https://acme.zendesk.com/", " acme", "acme ", "-a"]
)
def test_programs_spell_a_subdomain_in_one_way(text: str) -> None:
    """What a person may paste is refused where a policy could name the exact form."""
    assert exact_subdomain("acme") == ACME
    with pytest.raises(SubdomainRefusedError):
        exact_subdomain(text)
