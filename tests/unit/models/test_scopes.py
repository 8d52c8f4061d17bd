import pytest

from zendesk_oauth.models.scopes import MAX_SCOPE_BYTES, MAX_SCOPES, bounded, covers, missing, parse_scopes


@pytest.mark.parametrize(
    ("text", "scopes"),
    [
        ("read", ("read",)),
        ("  tickets:read   users:read ", ("tickets:read", "users:read")),
        ("brand_new_thing:write impersonate", ("brand_new_thing:write", "impersonate")),
    ],
)
def test_scopes_are_parsed_in_their_order(text: str, scopes: tuple[str, ...]) -> None:
    """The syntax alone counts: the list of names grows every few months."""
    assert parse_scopes(text) == scopes


@pytest.mark.parametrize(
    "text",
    ["", "  ", "Read", "tickets:admin", "tickets:", ":read", "a:read:write", "read,write", "read read", "é"],
)
def test_what_is_no_scope_is_refused(text: str) -> None:
    """Above all the empty list, which Zendesk takes for full access."""
    with pytest.raises(ValueError, match="scope"):
        parse_scopes(text)


@pytest.mark.parametrize(
    ("granted", "scope", "covered"),
    [
        (("tickets:read",), "tickets:read", True),
        (("read",), "tickets:read", True),
        (("write",), "tickets:write", True),
        (("write",), "tickets:read", False),
        (("read",), "tickets:write", False),
        (("tickets:read",), "read", False),
        (("read", "write"), "impersonate", False),
        ((), "read", False),
    ],
)
def test_the_broad_scopes_cover_the_fine(granted: tuple[str, ...], scope: str, *, covered: bool) -> None:
    """`read` covers every `…:read`, `write` every `…:write`; `write` does not imply `read`."""
    assert covers(granted, scope) is covered


def test_what_was_not_given_is_named() -> None:
    """Zendesk drops unknown names without a word."""
    assert missing(("users:read", "nonsense:read", "tickets:write"), ("users:read",)) == (
        "nonsense:read",
        "tickets:write",
    )
    assert missing(("users:read",), ("read",)) == ()


@pytest.mark.parametrize(
    ("scopes", "count"),
    [
        ([], 0),
        (["a", "b", "a"], 2),
        ([f"s{number}" for number in range(1000)], MAX_SCOPES),
        (["x" * 128 + str(number) for number in range(200)], MAX_SCOPE_BYTES // 130),
    ],
)
def test_r34_what_is_kept_of_scopes_is_bounded(scopes: list[str], count: int) -> None:
    """Names and bytes, in their order and each once: no answer can fill a row."""
    kept = bounded(scopes)
    assert list(kept) == list(dict.fromkeys(scopes))[: len(kept)]
    assert abs(len(kept) - count) <= 1
    assert sum(map(len, kept)) <= MAX_SCOPE_BYTES
