import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_oauth.errors import SubdomainRefusedError
from zendesk_oauth.models.subdomain import parse_subdomain


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("acme", "acme"),
        ("ACME", "acme"),
        ("  acme ", "acme"),
        ("\tacme \t", "acme"),
        (" https://acme.zendesk.com/\t", "acme"),
        ("a", "a"),
        ("9lives", "9lives"),
        ("a-b--c", "a-b--c"),
        ("a" * 63, "a" * 63),
        ("acme.zendesk.com", "acme"),
        ("Acme.Zendesk.COM", "acme"),
        ("http://acme.zendesk.com", "acme"),
        ("https://acme.zendesk.com/", "acme"),
        ("https://acme.zendesk.com/agent/tickets/1?x=y#z", "acme"),
        ("acme.zendesk.com?x=@evil.com", "acme"),
        ("https://acme.zendesk.com#@evil.com", "acme"),
    ],
)
def test_what_people_type_and_paste(text: str, label: str) -> None:
    """A name, an address or a whole URL from the browser's bar is cut down to the name."""
    assert parse_subdomain(text) == label


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "acme@evil.com#",
        "acme@evil.com",
        "acme.evil",
        "acme.evil.com",
        "acme。evil",
        "acme。zendesk。com",
        "①②③",
        "\u2170",
        "ac\u200bme",
        "acme\u200b",
        "acme\n",
        "\nacme",
        "ac\tme",
        "acme\u2000",
        "acme\x0b",
        "acme\x00",
        "acme%2e",
        "acme%2eevil",
        "acme:443",
        "acme.zendesk.com:443",
        "acme.zendesk.com.evil.com",
        "acme.zendesk.com@evil.com",
        "acme.zendesk.com\\@evil.com",
        "https://acme.zendesk.com\n",
        "https://acme.zendesk.com/\n",
        "https://user@acme.zendesk.com",
        "https://evil.com/acme.zendesk.com",
        "https://evil.com#.zendesk.com",
        "javascript://acme.zendesk.com",
        "//acme.zendesk.com",
        "-a",
        "a-",
        "a" * 64,
        "a_b",
        "xn--80ak6aa92e",
        "XN--80ak6aa92e",
        "https://xn--80ak6aa92e.zendesk.com",
        "\u0430cme",
        "169.254.169.254/x#",
        "169.254.169.254",
        "[::1]",
        "localhost/x",
        "acme/../evil",
        "\u212a",
        "acme.zendesk.com/" + "x" * 2048,
    ],
)
def test_what_could_lead_elsewhere_is_refused(text: str) -> None:
    """The client secret is posted to the host that is built from it (CVE-2021-30492)."""
    with pytest.raises(SubdomainRefusedError):
        parse_subdomain(text)


@given(st.text() | st.from_regex(r"(https?://)?[a-zA-Z0-9.@:/#?%-]{1,80}", fullmatch=True))
def test_whatever_is_taken_is_one_label(text: str) -> None:
    """The host has one label before `.zendesk.com`, and the name is its own canonical form."""
    try:
        label = parse_subdomain(text)
    except SubdomainRefusedError:
        return
    assert re.fullmatch("[a-z0-9-]{1,63}", label)
    assert label[0] != "-" != label[-1]
    assert parse_subdomain(label) == label
    assert parse_subdomain(f"https://{label}.zendesk.com/x") == label
