"""Name what a program on the way has done to a text: a byte-order mark, quotes, Windows line ends, UTF-16.

Imported only when a text is wrong or comes from a file, so a good start of a function never loads it.
"""

from collections.abc import Mapping

BYTE_ORDER_MARK = "\ufeff"
REPLACEMENT = "\ufffd"
QUOTES = frozenset("\"'`\u00b4\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb")
"""The quotation marks of shells, of spreadsheets and of word processors."""
_NAMES = {
    "\0": "a NUL character, as in UTF-16",
    "\t": "a tab",
    "\n": "a line break",
    "\r": "a carriage return, as in a file with Windows line ends",
    " ": "a space",
    BYTE_ORDER_MARK: "a byte-order mark",
    REPLACEMENT: "a replacement character, as after a wrong decoding",
}


def damage_in(text: str, *, is_ascii: bool = True, may_quote: bool = False) -> str | None:
    """Return what is wrong with a text, in words that follow its name, or None where it is intact.

    Intact is printable text without a quotation mark at either end: ASCII, unless `is_ascii` is False. With `may_quote`
    there may be a quotation mark at one end, as in a name. No word quotes more of the text than a foreign character.
    """
    for place, character in enumerate(text):
        if not character.isprintable() or character == REPLACEMENT or (is_ascii and not character.isascii()):
            return foreign_character(text, place)
    begins, ends = text[:1] in QUOTES, text[-1:] in QUOTES
    if begins and ends and len(text) > 1:
        return "is in quotes, which would be part of it"
    if may_quote or not (begins or ends):
        return None
    return "begins with a quotation mark" if begins else "ends with a quotation mark"


def foreign_character(text: str, place: int) -> str:
    """Return where a text has a character that does not belong there, and which; places count from 0."""
    name = name_of(text[place])
    if place == 0:
        return f"begins with {name}"
    return f"ends with {name}" if place == len(text) - 1 else f"has {name} (character {place + 1})"


def name_of(character: str) -> str:
    """Return what a character is called: in a word where people know one, else by its number and Unicode's name."""
    if character in _NAMES:
        return _NAMES[character]
    if "\ud800" <= character <= "\udfff":
        return "a byte that is no text in its encoding"
    import unicodedata  # noqa: PLC0415 - no good text needs it

    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def misnamed(name: str, environ: Mapping[str, str]) -> str | None:
    """Return how a missing variable is there under a damaged name, or None: as the first line of a file with a mark."""
    if f"{BYTE_ORDER_MARK}{name}" in environ:
        return "is missing: the environment has that name with a byte-order mark before it"
    return None
