"""Good answers with something wrong in them.

The rule: the work is done, and an error that it gives is sent as it is.
"""

from collections.abc import Callable
from http import HTTPStatus

from flask import Response

from local.zendesk.misbehaviours.call import Call, as_json

_MEGABYTE = 1_000_000


def _edited(call: Call, edit: Callable[[dict[str, object]], None]) -> Response:
    """Do the work and edit its answer; an error stays as it is."""
    good = call.work()
    if not HTTPStatus(good.status_code).is_success:
        return good
    answer: dict[str, object] = good.get_json()
    edit(answer)
    return as_json(answer, good.status_code)


def null_token(call: Call) -> Response:
    """Send a good answer whose access token is null."""
    return _edited(call, lambda good: good.update(access_token=None))


def no_refresh_token(call: Call, *, keeps_old: bool = True) -> Response:
    """Send a good answer without a refresh token; on a refresh the old one goes on working, unless told otherwise."""

    def edit(good: dict[str, object]) -> None:
        del good["refresh_token"]
        pair = call.tokens.find_by_access(str(good["access_token"]))
        old = call.fields.get("refresh_token")
        if pair and old and keeps_old:
            call.tokens.keep_refresh_token(pair, old)

    return _edited(call, edit)


def token_type(call: Call, *, value: object = "mac") -> Response:
    """Send a good answer with an odd token type."""
    return _edited(call, lambda good: good.update(token_type=value))


def fewer_scopes(call: Call, *, scopes: str | None = None) -> Response:
    """Send a good answer with fewer scopes, for a token that has no more: these, or all but the last."""

    def edit(good: dict[str, object]) -> None:
        pair = call.tokens.find_by_access(str(good["access_token"]))
        if pair:
            pair.scope = " ".join(pair.scope.split()[:-1]) if scopes is None else scopes
            good["scope"] = pair.scope

    return _edited(call, edit)


def expires_in(call: Call, *, value: object = 0, field: str = "expires_in") -> Response:
    """Send a good answer with an odd lifetime: 0, negative, text, far too big."""
    return _edited(call, lambda good: good.update({field: value}))


def no_expires_in(call: Call) -> Response:
    """Send a good answer without lifetimes, although they were asked for."""

    def edit(good: dict[str, object]) -> None:
        good.pop("expires_in", None)
        good.pop("refresh_token_expires_in", None)

    return _edited(call, edit)


def big_body(call: Call, *, size: int = _MEGABYTE) -> Response:
    """Send a good answer with a megabyte of padding in it."""
    return _edited(call, lambda good: good.update(padding="x" * size))
