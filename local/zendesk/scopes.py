"""Zendesk's scopes: which are known, what they cover, and what they mean in words.

The rule: an unknown scope is never refused, it is dropped from what is granted (Zendesk, "OAuth token scopes").
"""

from collections.abc import Iterable

_BROAD = {
    "read": "Read everything that you may see",
    "write": "Create, change and delete everything that you may",
    "impersonate": "Act in the name of your end users",
}
_RESOURCES = (
    "account_settings",
    "apps",
    "automations",
    "brands",
    "custom_objects",
    "dynamic_content",
    "groups",
    "hc",
    "macros",
    "organizations",
    "requests",
    "satisfaction_ratings",
    "targets",
    "ticket_attachments",
    "ticket_views",
    "tickets",
    "triggers",
    "users",
    "webhooks",
    "zis",
)
_SINGLE = ("auditlogs:read", "any_channel:write", "web_widget:write")
_VERBS = {"read": "Read", "write": "Create, change and delete"}
_NAMES = {
    "auditlogs": "the audit log",
    "any_channel": "messages of any channel",
    "hc": "your help center",
    "web_widget": "the web widget",
    "zis": "integration services",
}

EVERYTHING = "read write"
"""What an empty scope means at Zendesk."""

KNOWN = frozenset([*_BROAD, *_SINGLE, *(f"{resource}:{verb}" for resource in _RESOURCES for verb in _VERBS)])


def kept(asked: str, known: Iterable[str]) -> str:
    """Return the scopes of `asked` that are in `known`, in their order, each once."""
    names = set(known)
    return " ".join(dict.fromkeys(scope for scope in asked.split() if scope in names))


def covers(granted: str, needed: str) -> bool:
    """Say whether a token with `granted` may do what `needed` names.

    `read` covers every `…:read` and `write` every `…:write`; `write` never covers reading.
    """
    held = granted.split()
    return needed in held or needed.rpartition(":")[2] in held


def in_words(scope: str) -> list[str]:
    """Return one sentence for each scope, as the Allow page shows them."""
    return [_sentence(name) for name in scope.split()]


def _sentence(name: str) -> str:
    if name in _BROAD:
        return _BROAD[name]
    resource, _, verb = name.partition(":")
    return f"{_VERBS.get(verb, 'Use')} {_NAMES.get(resource, resource.replace('_', ' '))}"
