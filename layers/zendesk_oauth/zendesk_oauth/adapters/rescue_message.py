"""A sealed renewal as the text of a message, and back: everything that its replay needs, and no plaintext.

Times are ISO 8601 with their offset, sealed bytes base64. A reader ignores members that it does not know, and does
without `lost_scopes` and `replaced`, because a message waits for up to 14 days and may be older or newer than the code
that replays it.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from zendesk_oauth.errors import MalformedRequestError, SubdomainRefusedError
from zendesk_oauth.models.connection import COMMIT_ID, TokenTimes
from zendesk_oauth.models.grant import GRANT_NAME
from zendesk_oauth.models.refresh import Renewal, Version
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.subdomain import Subdomain, parse_subdomain
from zendesk_oauth.models.tokens import SealedPair, SealedToken

FORMAT = 1
"""The number of this form: one that a reader does not know is refused, and stays in the queue."""
_DAMAGED = (KeyError, TypeError, ValueError, RecursionError, SubdomainRefusedError)


def renewal_text(renewal: Renewal) -> str:
    """Return the message's text, ASCII."""
    times, sealed = renewal.times, renewal.sealed
    return json.dumps(
        {
            "format": FORMAT,
            "grant": renewal.grant,
            "subdomain": renewal.subdomain,
            "replaces": {"epoch": renewal.replaces.epoch, "generation": renewal.replaces.generation},
            "scopes": renewal.scopes,
            "lost_scopes": renewal.lost_scopes,
            "issued_at": renewal.issued_at.isoformat(),
            "expires_at": times.expires_at.isoformat(),
            "refresh_at": times.refresh_at.isoformat(),
            "refresh_expires_at": times.refresh_expires_at.isoformat(),
            "keep_alive_at": times.keep_alive_at.isoformat(),
            "commit_id": sealed.commit_id,
            "access_token": _token_object(sealed.access_token),
            "refresh_token": _token_object(sealed.refresh_token),
        }
        | ({} if renewal.replaced is None else {"replaced": renewal.replaced})
    )


def renewal_of(unverified_text: str) -> Renewal:
    """Return the renewal. Raises MalformedRequestError, which says nothing of the text, where it is damaged."""
    renewal = _renewal_or_none(unverified_text)
    if renewal is None:
        raise MalformedRequestError("a rescue message that is damaged, or of a form that is not known here")
    return renewal


def _renewal_or_none(text: str) -> Renewal | None:
    """Return the renewal, or None; the parser's own error would carry the text along, and so is dropped here."""
    try:
        content = json.loads(text)
        return _renewal(content) if content["format"] == FORMAT else None
    except _DAMAGED:
        return None


def _renewal(content: Mapping[str, Any]) -> Renewal:
    return Renewal(
        grant=_grant(content["grant"]),
        subdomain=_subdomain(content["subdomain"]),
        replaces=_version(content["replaces"]),
        scopes=_scopes(content["scopes"]),
        issued_at=_instant(content["issued_at"]),
        times=TokenTimes(
            expires_at=_instant(content["expires_at"]),
            refresh_at=_instant(content["refresh_at"]),
            refresh_expires_at=_instant(content["refresh_expires_at"]),
            keep_alive_at=_instant(content["keep_alive_at"]),
        ),
        sealed=SealedPair(
            _text(content["commit_id"]), _token(content["access_token"]), _token(content["refresh_token"])
        ),
        lost_scopes=_scopes(content.get("lost_scopes", [])),
        replaced=_commit_id(content["replaced"]) if "replaced" in content else None,
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("no text")
    return value


def _commit_id(value: object) -> str:
    if not COMMIT_ID.fullmatch(commit_id := _text(value)):
        raise ValueError("no commit id")
    return commit_id


def _grant(value: object) -> str:
    if not GRANT_NAME.fullmatch(name := _text(value)):
        raise ValueError("no name of a grant")
    return name


def _subdomain(value: object) -> Subdomain:
    """Return a name that stands there as it is: not one that would have to be cut out of what was pasted."""
    if (subdomain := parse_subdomain(text := _text(value))) != text:
        raise ValueError("no bare subdomain")
    return subdomain


def _scopes(value: object) -> Scopes:
    if not isinstance(value, list):
        raise TypeError("no list of scopes")
    return tuple(_text(name) for name in value)


def _version(value: Mapping[str, object]) -> Version:
    return Version(_count(value["epoch"]), _count(value["generation"]))


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("no count")
    return value


def _instant(value: object) -> datetime:
    instant = datetime.fromisoformat(_text(value))
    if instant.tzinfo is None:
        raise ValueError("an instant without its offset")
    return instant


def _token_object(sealed: SealedToken) -> dict[str, str]:
    return {
        "ciphertext": b64encode(sealed.ciphertext).decode(),
        "wrapped_key": b64encode(sealed.wrapped_key).decode(),
    }


def _token(value: Mapping[str, object]) -> SealedToken:
    return SealedToken(_sealed_bytes(value["ciphertext"]), _sealed_bytes(value["wrapped_key"]))


def _sealed_bytes(value: object) -> bytes:
    return b64decode(_text(value), validate=True)
