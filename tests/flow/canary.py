"""Finds a secret wherever it lies and however it was written: raw, escaped, encoded, or only in part."""

import base64
import json
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from urllib.parse import quote

PART = 16
"""A secret's beginning or end of so many characters counts as the secret."""
_STANDARD, _URL_SAFE = b"+/", b"-_"
_FIRST_WHOLE = (0, 2, 3)
"""In base64, the first character that depends on nothing but the secret, after 0, 1 or 2 bytes before it."""


@cache
def encodings(secret: bytes) -> dict[str, bytes]:
    """Return the ways in which a secret can be written, by name; some may be the same."""
    ways = {"raw": secret, "hex": secret.hex().encode(), "HEX": secret.hex().upper().encode()}
    ways |= {"first part": secret[:PART], "last part": secret[-PART:]}
    for name, alphabet in (("base64", _STANDARD), ("base64url", _URL_SAFE)):
        ways |= {f"{name} at {offset}": _base64(secret, offset, alphabet) for offset in range(3)}
    ways |= {"percent-encoded": "".join(f"%{byte:02X}" for byte in secret).encode()}
    ways |= {"in a repr of bytes": repr(secret)[2:-1].encode()}
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return ways
    return ways | {
        "URL-encoded": quote(text, safe="").encode(),
        "url-encoded": quote(text, safe="").lower().encode(),
        "URL-encoded twice": quote(quote(text, safe=""), safe="").encode(),
        "JSON-escaped": json.dumps(text)[1:-1].encode(),
        "JSON-escaped twice": json.dumps(json.dumps(text))[3:-3].encode(),
        "JSON, code points": "".join(f"\\u{ord(character):04x}" for character in text).encode(),
        "in a repr": repr(text)[1:-1].encode(),
        "HTML-escaped": escape(text).encode(),
    }


def _base64(secret: bytes, offset: int, alphabet: bytes) -> bytes:
    """Return the characters that stand for the secret alone, whatever comes before and after it."""
    encoded = base64.b64encode(bytes(offset) + secret, alphabet)
    whole = (offset + len(secret)) * 8 // 6
    return encoded[_FIRST_WHOLE[offset] : whole]


class Canaries:
    """Secrets by name; each value is looked for in all of its encodings."""

    def __init__(self) -> None:
        self._values: dict[str, set[bytes]] = {}

    def add(self, name: str, *values: str | bytes) -> None:
        """Look for these too."""
        raw = {value.encode() if isinstance(value, str) else bytes(value) for value in values}
        assert all(len(value) >= PART for value in raw)
        self._values.setdefault(name, set()).update(raw)

    def names(self) -> set[str]:
        """Return the names under which anything is looked for."""
        return {name for name, values in self._values.items() if values}

    def found(self, hay: bytes, meant: frozenset[str] = frozenset()) -> list[str]:
        """Return what was found and how it was written, apart from the secrets that are meant to be there."""
        return sorted(
            f"{name}, {way}"
            for name, values in self._values.items()
            if name not in meant
            for value in values
            for way, needle in encodings(value).items()
            if needle in hay
        )


def dumped(value: object) -> bytes:
    """Return the bytes in which a value of a table, an event or an answer is searched."""
    return b"\n".join(_pieces(value))


def _pieces(value: object) -> Iterator[bytes]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _pieces(key)
            yield from _pieces(inner)
    elif isinstance(value, list | tuple | set):
        for inner in value:
            yield from _pieces(inner)
    elif isinstance(value, bytes):
        yield value
    else:
        yield str(value).encode(errors="surrogatepass")
