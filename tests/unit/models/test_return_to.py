from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_oauth.errors import ReturnToRefusedError
from zendesk_oauth.models.return_to import LONGEST, ReturnPolicy, origin_of

SITE = "https://www.example.com/integrations/zendesk"
POLICY = ReturnPolicy(SITE, frozenset({"https://app.example.com", "https://eu.example.com:8443"}))
ORIGINS = {"https://www.example.com", "https://app.example.com", "https://eu.example.com:8443"}
NO_SITE = ReturnPolicy(None, frozenset({"https://app.example.com"}))


@pytest.mark.parametrize(
    ("asked", "checked"),
    [
        (None, SITE),
        ("", SITE),
        ("/done", "https://www.example.com/done"),
        ("/", "https://www.example.com/"),
        ("/done?next=%2Fhome&a=b", "https://www.example.com/done?next=%2Fhome&a=b"),
        ("https://www.example.com/x", "https://www.example.com/x"),
        ("https://app.example.com", "https://app.example.com"),
        ("https://app.example.com/x?y=z", "https://app.example.com/x?y=z"),
        ("https://app.example.com?y=z", "https://app.example.com?y=z"),
        ("https://eu.example.com:8443/x", "https://eu.example.com:8443/x"),
        ("/" + "x" * (LONGEST - 1), "https://www.example.com/" + "x" * (LONGEST - 1)),
    ],
)
def test_what_may_be_returned_to(asked: str | None, checked: str) -> None:
    """A path on the site, or a URL of the site's or a listed origin."""
    assert POLICY.check(asked) == checked


@pytest.mark.parametrize(
    "asked",
    [
        "//evil.com",
        "///evil.com",
        "/\\evil.com",
        "\\/evil.com",
        "/\t/evil.com",
        "/x#fragment",
        "/x\r\nSet-Cookie: a=b",
        "/é",
        " /x",
        "x",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://evil.com/",
        "http://app.example.com/",
        "https://app.example.com.evil.com/",
        "https://app.example.com@evil.com/",
        "https://app.example.com:443@evil.com/",
        "https://app.example.com:8443/",
        "https://evil.com/https://app.example.com/",
        "https://app.example.com\\@evil.com/",
        "https://app.example.com#@evil.com/",
        "https://APP.example.com/",
        "https:app.example.com",
        "https:///app.example.com",
        "https://[::1]/",
        "https://app.example.com./",
        "/" + "x" * LONGEST,
    ],
)
def test_what_may_not_be_returned_to(asked: str) -> None:
    """An open redirector would lend the company's name to a stranger (RFC 9700 section 4.11)."""
    with pytest.raises(ReturnToRefusedError):
        POLICY.check(asked)


def test_without_a_site_there_is_nothing_to_be_relative_to() -> None:
    """An absolute URL of the list still is fine, and none means none."""
    assert NO_SITE.check(None) is None
    assert NO_SITE.check("https://app.example.com/x") == "https://app.example.com/x"
    with pytest.raises(ReturnToRefusedError):
        NO_SITE.check("/x")


TRICKY = st.text(alphabet="/\\@:#?.%&=ahtpsexmplcovi0123456789-[] \t\n", max_size=60)
PREFIXES = st.sampled_from(
    [
        "",
        "/",
        "//",
        "https://",
        "https://app.example.com",
        "https://www.example.com",
        "https://eu.example.com:8443",
    ]
)


@given(PREFIXES, TRICKY)
def test_a_second_parser_agrees_about_the_origin(prefix: str, rest: str) -> None:
    """Whatever is let through leads, by urllib's reading too, to the site or to a listed origin."""
    try:
        checked = POLICY.check(prefix + rest)
    except ReturnToRefusedError:
        return
    assert checked is not None
    for seen in (urlsplit(checked), urlsplit(urljoin("https://connect.example.com/oauth/callback", checked))):
        assert f"{seen.scheme}://{seen.netloc}" in ORIGINS
        assert seen.username is None
        assert seen.fragment == ""
    assert checked.isascii()
    assert checked.isprintable()


@pytest.mark.parametrize(
    "url", ["", "https://", "ftp://a.example/", "https://a.example/ ", "https://a.example:123456"]
)
def test_what_is_no_address_has_no_origin(url: str) -> None:
    """Only http and https URLs of a strict grammar have one."""
    assert origin_of(url) is None
