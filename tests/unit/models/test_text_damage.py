"""What happened to a text on its way is named, and nothing else of it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_oauth.models.text_damage import damage_in, foreign_character, misnamed

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("\ufeffprod", "begins with a byte-order mark"),
        ("local\r", "ends with a carriage return, as in a file with Windows line ends"),
        ("p\0r\0", "has a NUL character, as in UTF-16 (character 2)"),
        ("pr\tod", "has a tab (character 3)"),
        ("pr\nod", "has a line break (character 3)"),
        ("prod\u00a0", "ends with U+00A0 NO-BREAK SPACE"),
        ("pr\u200bod", "has U+200B ZERO WIDTH SPACE (character 3)"),
        ("\u201cprod\u201d", "begins with U+201C LEFT DOUBLE QUOTATION MARK"),
        ("pr\x7fod", "has U+007F (character 3)"),
        ("pr\udcffod", "has a byte that is no text in its encoding (character 3)"),
        ("caf\ufffd", "ends with a replacement character, as after a wrong decoding"),
        ('"prod"', "is in quotes, which would be part of it"),
        ("'prod'", "is in quotes, which would be part of it"),
        ('="prod"', "ends with a quotation mark"),
        ("'prod", "begins with a quotation mark"),
        ('"', "begins with a quotation mark"),
    ],
)
def test_r41_damage_is_named(text: str, named: str) -> None:
    """R41: each trace of a spreadsheet, Notepad, PowerShell or an env file has its own words."""
    assert damage_in(text) == named


@pytest.mark.parametrize("text", ["", "prod", "arn:aws:kms:us-east-1:123456789012:key/1", "a 'b' c"])
def test_an_intact_text_has_no_damage(text: str) -> None:
    """Printable ASCII without a quotation mark at an end is what was meant."""
    assert damage_in(text) is None


@pytest.mark.parametrize("text", ["Caf\u00e9", "'t Hart", 'The "Firm"', "\u00ab", "\u65e5\u672c"])
def test_a_name_may_have_letters_of_any_language(text: str) -> None:
    """A company's name is printed as it is, an apostrophe at its beginning included."""
    assert damage_in(text, is_ascii=False, may_quote=True) is None


@pytest.mark.parametrize(
    "text", ['"Example"', "\u201cExample\u201d", "Example\r", "\ufeffExample", "Exa\u00a0mple", "Exam\ufffd"]
)
def test_a_name_can_be_damaged_too(text: str) -> None:
    """A pair of quotes and what cannot be printed are no part of a name."""
    assert damage_in(text, is_ascii=False, may_quote=True)


@pytest.mark.parametrize(
    ("text", "named"), [("'user-7", "begins with"), ("user-7\u201d", "ends with"), ("J\u00f6rg", None)]
)
def test_other_texts_of_any_language_have_no_quotes(text: str, named: str | None) -> None:
    """An address or a reference may have other letters, and no quotation mark at an end."""
    assert damage_in(text, is_ascii=False) == (named and f"{named} a quotation mark")


def test_a_space_has_a_name() -> None:
    """In a token it is foreign, and in a sentence it could not be seen."""
    assert foreign_character("Bearer x", 6) == "has a space (character 7)"


def test_a_name_with_a_mark_before_it_is_found() -> None:
    """The first line of an env file that Notepad has saved sets a variable of another name."""
    assert "byte-order mark before it" in (misnamed("STAGE", {"\ufeffSTAGE": "prod"}) or "")
    assert misnamed("STAGE", {"OTHER": "prod"}) is None


@given(ANY_TEXT, st.booleans())
def test_no_word_quotes_the_text(text: str, is_ascii: bool) -> None:  # noqa: FBT001 - Hypothesis gives it
    """The words for the damage have at most one foreign character's name in them, and are ASCII for any log."""
    damage = damage_in(text, is_ascii=is_ascii) or ""
    assert damage.isascii()
    assert damage.isprintable()
    assert len(text) < 6 or text not in damage
