"""The browser's half of an install."""

import pytest

from local.sam import example_installs as examples
from zendesk_oauth.errors import StateRejectedError
from zendesk_oauth.web.cookies import MOST_INSTALLS, Cookies, browser_secret, parse_cookies, set_cookies

A = examples.install_id("A")
SECRET = examples.browser("A")


def test_cookies_are_read_in_the_browsers_order() -> None:
    """Both ways the gateway may pass cookies are read, and what is no pair is left out."""
    assert parse_cookies(["a=1; b=2=3", "c=", ";; =x; novalue", ""]) == (("a", "1"), ("b", "2=3"), ("c", ""))


def test_the_secret_of_an_install_is_found() -> None:
    """The cookie is found by the install's id; the same one twice is one."""
    cookies = parse_cookies([examples.cookie("B"), examples.cookie("A"), examples.cookie("A")])
    assert browser_secret(cookies, A) == SECRET


@pytest.mark.parametrize(
    "cookies",
    [
        (),
        parse_cookies([examples.cookie("B")]),
        ((f"__Host-install-{A}", "A" * 43), (f"__Host-install-{A}", "Z" * 43)),
        ((f"__Host-install-{A}", "A" * 42),),
        ((f"__Host-install-{A}", "é" * 43),),
        ((f"install-{A}", "A" * 43),),
    ],
)
def test_no_single_fitting_cookie_is_no_proof(cookies: Cookies) -> None:
    """Absent, of another install, two different ones, not of our form, or without the prefix: rejected."""
    with pytest.raises(StateRejectedError):
        browser_secret(cookies, A)


def test_a_cookie_is_bound_to_this_host_and_time() -> None:
    """The attributes are those that `__Host-` asks for, Lax, and the time a person has at Zendesk."""
    [cookie] = set_cookies(A, SECRET, ())
    assert cookie == (
        f"__Host-install-{A}={SECRET.reveal()}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"
    )


def test_all_cookies_together_are_small() -> None:
    """Eight installs at once stay far below what browsers keep and servers read."""
    [cookie] = set_cookies(A, SECRET, ())
    assert MOST_INSTALLS * len(cookie) < 4096


@pytest.mark.parametrize(("present", "ended"), [(0, 0), (7, 0), (8, 1), (10, 3)])
def test_at_most_eight_installs_at_a_time(present: int, ended: int) -> None:
    """Beyond eight the oldest are ended, which are the first in the browser's order; nothing foreign is touched."""
    ids = [str(number) * 22 for number in range(9)] + ["x" * 22]
    others = tuple((f"__Host-install-{one}", "v") for one in ids[:present])
    cookies = set_cookies(A, SECRET, (("session", "s"), *others, *others, (f"__Host-install-{A}", "old")))
    assert [cookie.partition("=")[0] for cookie in cookies[1:]] == [name for name, _ in others[:ended]]
    assert all(
        cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0") for cookie in cookies[1:]
    )


WHITE_SPACE = sorted(
    {chr(code) for code in range(0x110000) if chr(code).isspace()} | set("\u180e\u200b\u2060\ufeff")
)
"""Every character that Python strips, and those that only look like nothing."""


@pytest.mark.parametrize("space", sorted(set(WHITE_SPACE) - set(" \t")), ids=ascii)
def test_a_name_that_is_ours_only_after_normalization_is_not_ours(space: str) -> None:
    """R38: no white space but space and tab is stripped, in whichever decoding a gateway hands the header on."""
    planted = f"{space}{examples.cookie('A')}"
    for text in (planted, planted.encode().decode("latin-1")):
        for header in (text, f"a=1;{text}", f"a=1; {text};b=2"):
            with pytest.raises(StateRejectedError):
                browser_secret(parse_cookies([header]), A)


@pytest.mark.parametrize("space", ["", " ", "\t", " \t "], ids=repr)
def test_space_and_tab_around_a_pair_are_stripped(space: str) -> None:
    """What separates two cookies is no part of either."""
    cookies = parse_cookies([f"a=1;{space}{examples.cookie('A')}{space};b=2"])
    assert browser_secret(cookies, A) == SECRET


@pytest.mark.parametrize(
    "name", ["a b", "a\x00", "é", "a(b)", 'a"', "a@b", "a,b", "a/b", "{a}", "a ", "\ud800"], ids=ascii
)
def test_a_name_that_is_no_token_is_ignored(name: str) -> None:
    """Names outside the grammar of RFC 6265 never come from a cookie that we have set."""
    assert parse_cookies([f"{name}=1;c=2"]) == (("c", "2"),)
