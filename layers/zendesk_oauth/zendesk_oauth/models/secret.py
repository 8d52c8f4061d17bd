"""A value that does not print, and the one-use secrets that are built from it."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, Self

type Entropy = Callable[[int], bytes]
"""Gives that many unpredictable bytes: `secrets.token_bytes`, or a scripted source."""

SECRET_BYTES = 32
INSTALL_ID_BYTES = 16
_ONE_USE_SECRET = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})")


class Secret:
    """Text that shows itself only to `reveal()`: not in repr, str, f-strings, JSON or pickles.

    Raises TypeError for what is no text.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"text must be str, not {type(text).__name__}")
        self._text = text

    def reveal(self) -> str:
        """Return the text itself. Call it at the border where it leaves, nowhere else."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('**********')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not serialised")


def base64url(data: bytes) -> str:
    """Encode without padding (RFC 7636 appendix A)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def new_secret(entropy: Entropy) -> Secret:
    """Return 32 random bytes as 43 characters."""
    return Secret(base64url(entropy(SECRET_BYTES)))


def new_install_id(entropy: Entropy) -> str:
    """Return 16 random bytes as 22 characters."""
    return base64url(entropy(INSTALL_ID_BYTES))


def fingerprint(secret: Secret) -> str:
    """Return the SHA-256 of the secret in hex: what a table may hold of it.

    A plain hash is enough, because every secret hashed here has 256 random bits.
    """
    return hashlib.sha256(secret.reveal().encode()).hexdigest()


def same(left: str | None, right: str | None) -> bool:
    """Compare two texts in constant time, fingerprints or references of any alphabet; an absent one equals nothing."""
    return left is not None and right is not None and hmac.compare_digest(_bytes(left), _bytes(right))


def _bytes(text: str) -> bytes:
    """Return the text as bytes, whatever JSON made of it: also half a character is one that can be compared."""
    return text.encode(errors="surrogatepass")


def derive(key: Secret, purpose: str, message: str) -> Secret:
    """Derive a secret from another (HMAC-SHA256), so that it need not be stored anywhere."""
    digest = hmac.digest(key.reveal().encode(), f"{purpose}\n{message}".encode(), "sha256")
    return Secret(base64url(digest))


@dataclass(frozen=True, slots=True)
class OneUseSecret:
    """`id.secret`: the form of a state, an invitation and a handle.

    The id finds the row; the row holds only the secret's fingerprint.
    """

    install_id: str
    secret: Secret

    @classmethod
    def parse(cls, unverified_text: str) -> Self | None:
        """Return the two parts, or None where the text has not this form."""
        match = _ONE_USE_SECRET.fullmatch(unverified_text)
        return cls(match[1], Secret(match[2])) if match else None

    @property
    def text(self) -> str:
        """The whole, as it travels in a URL: a secret."""
        return f"{self.install_id}.{self.secret.reveal()}"

    @property
    def fingerprint(self) -> str:
        """What the row holds of it."""
        return fingerprint(self.secret)
