"""Every way in which Zendesk can answer badly: one function each, whose keyword arguments are its options.

The rule: what is not in `KINDS` cannot be asked for, and `catalogue` shows all of it.
What is misbehaved on, and how often, is in `faults`.
"""

import inspect
from collections.abc import Callable, Mapping

from flask import Response

from local.zendesk.misbehaviours import edited, line, replaced
from local.zendesk.misbehaviours.call import Call

__all__ = ["KINDS", "Call", "catalogue", "check"]

KINDS: dict[str, Callable[..., Response]] = {
    play.__name__: play
    for play in (
        replaced.answer,
        replaced.html,
        replaced.server_error,
        replaced.empty_object,
        replaced.gzip_bomb,
        replaced.no_content,
        replaced.redirect,
        replaced.too_many_requests,
        replaced.oauth_error,
        replaced.invalid_token,
        replaced.forbidden,
        edited.null_token,
        edited.no_refresh_token,
        edited.token_type,
        edited.fewer_scopes,
        edited.expires_in,
        edited.no_expires_in,
        edited.big_body,
        line.lost,
        line.cut_body,
        line.dripping_body,
        line.dripping_headers,
        line.late_answer,
        line.late_work,
    )
}


def check(kind: str, options: Mapping[str, object]) -> None:
    """Raise ValueError if there is no such misbehaviour, or it has no such option."""
    if kind not in KINDS:
        raise ValueError(f"there is no misbehaviour {kind!r}")
    known = set(inspect.signature(KINDS[kind]).parameters) - {"call"}
    if unknown := set(options) - known:
        raise ValueError(f"{kind} has no option {sorted(unknown)}; it has {sorted(known)}")


def catalogue() -> dict[str, dict[str, object]]:
    """Return every misbehaviour with what it does and its options' defaults, as JSON values."""
    return {name: {"does": inspect.getdoc(play), "options": _defaults(play)} for name, play in KINDS.items()}


def _defaults(play: Callable[..., Response]) -> dict[str, object]:
    parameters = inspect.signature(play).parameters.values()
    return {one.name: one.default for one in parameters if one.name != "call"}
