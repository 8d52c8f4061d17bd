"""OAuth installs into Zendesk accounts: what the Lambda functions know and do, and what a worker needs.

Importing this package imports nothing else, so that everybody pays only for the rooms they use. A worker's names are
found here and come when they are first asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zendesk_oauth.errors import (
        AddressRefusedError,
        ConfigurationError,
        KeyUnavailableError,
        MissingScopeError,
        ReconnectRequiredError,
        RefreshPendingError,
        SealBrokenError,
        StoreError,
        StoreUnavailableError,
        SubdomainRefusedError,
        TokenUnavailableError,
        UnknownGrantError,
        ZendeskOAuthError,
    )
    from zendesk_oauth.models.secret import Secret
    from zendesk_oauth.models.token import AccessToken
    from zendesk_oauth.worker.answers import retry_after
    from zendesk_oauth.worker.connections import Connections

__all__ = [
    "AccessToken",
    "AddressRefusedError",
    "ConfigurationError",
    "Connections",
    "KeyUnavailableError",
    "MissingScopeError",
    "ReconnectRequiredError",
    "RefreshPendingError",
    "SealBrokenError",
    "Secret",
    "StoreError",
    "StoreUnavailableError",
    "SubdomainRefusedError",
    "TokenUnavailableError",
    "UnknownGrantError",
    "ZendeskOAuthError",
    "retry_after",
]
_ELSEWHERE = {
    "AccessToken": "models.token",
    "Connections": "worker.connections",
    "Secret": "models.secret",
    "retry_after": "worker.answers",
}
"""Where a name lives that is no error."""


def __getattr__(name: str) -> object:
    """Return one of the names above (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - importing this package imports nothing

    room = _ELSEWHERE.get(name, "errors")
    globals()[name] = found = getattr(import_module(f"{__name__}.{room}"), name)
    return found
