"""How a stand-in is set up at its start, and the switches that can be turned while it runs.

The rule: settings never change, switches always can.
"""

import threading
from dataclasses import dataclass, fields
from secrets import compare_digest

from authlib.oauth2.rfc6749 import ClientMixin

from local.zendesk import scopes


@dataclass(frozen=True)
class Settings:
    """What the stand-in is told at its start.

    `allowed_scopes`: None, or the scopes that the client may ask for; others give `invalid_scope`.
    `mark` stands at the beginning of every code and token, so that a search can find a leaked one.
    `keep_raw` keeps the requests' secrets in memory for tests in the same process; a process of its own never does.
    """

    client_id: str = "zdg-example"
    client_secret: str = "stand-in-client-secret"  # noqa: S105  # a default for loopback, opens nothing
    redirect_uris: tuple[str, ...] = ("https://connect.example.com/oauth/callback",)
    known_scopes: frozenset[str] = scopes.KNOWN
    allowed_scopes: frozenset[str] | None = None
    token_length: int = 64
    mark: str = ""
    keep_raw: bool = True


@dataclass
class Switches:
    """What lasts until it is turned back; misbehaviours that happen once or n times are in `faults`.

    `reuse_ends_family`: a refresh token that was spent and is posted again revokes every pair that descends from it, as
    RFC 9700 section 4.14.2 recommends. Whether Zendesk does so is not known.
    """

    drop_state_on_deny: bool = False
    iss: str | None = None
    role: str | None = None
    anonymous: bool = False
    refuse_delete: bool = False
    success_status: int = 200
    requests_per_minute: int | None = None
    reuse_ends_family: bool = False

    def turn(self, changes: dict[str, object]) -> None:
        """Turn several switches by name; raises ValueError for a name or a type that is none, and turns nothing."""
        for name, value in changes.items():
            if name not in _SWITCH_TYPES or type(value) not in _SWITCH_TYPES[name]:
                raise ValueError(f"there is no switch {name!r} with such a value")
        for name, value in changes.items():
            setattr(self, name, value)

    def reset(self) -> None:
        """Turn every switch back."""
        for switch in fields(self):
            setattr(self, switch.name, switch.default)


_SWITCH_TYPES: dict[str, tuple[type, ...]] = {
    "drop_state_on_deny": (bool,),
    "iss": (str, type(None)),
    "role": (str, type(None)),
    "anonymous": (bool,),
    "refuse_delete": (bool,),
    "success_status": (int,),
    "requests_per_minute": (int, type(None)),
    "reuse_ends_family": (bool,),
}


class Client(ClientMixin):
    """The one registered client: several secrets can be valid at once, as while one is being replaced."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._secrets: tuple[str, ...] = (settings.client_secret,)
        self._redirect_uris = settings.redirect_uris

    def accept_secrets(self, *secrets: str) -> None:
        """From now on these secrets are valid, and no other."""
        self._secrets = secrets

    def accept_redirect_uris(self, *redirect_uris: str) -> None:
        """From now on a code may be sent to these addresses, and to no other."""
        with self._lock:
            self._redirect_uris = redirect_uris

    def register(self, redirect_uri: str) -> None:
        """Add an address to those that a code may be sent to."""
        with self._lock:
            self._redirect_uris = (*self._redirect_uris, redirect_uri)

    def get_client_id(self) -> str:
        """Return the client's unique identifier."""
        return self._settings.client_id

    def get_default_redirect_uri(self) -> str:
        """Return nothing: Zendesk wants the address said every time."""
        return ""

    def get_allowed_scope(self, scope: object) -> str:
        """Return what of `scope` is granted: the known ones; everything if it is empty."""
        return scopes.kept(str(scope or "") or scopes.EVERYTHING, self._settings.known_scopes)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Say whether the address is registered, byte for byte."""
        return redirect_uri in self._redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Say whether the secret is one of the valid ones."""
        given = client_secret.encode()
        return any(compare_digest(given, valid.encode()) for valid in self._secrets)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002  # Authlib's signature
        """Say whether credentials may come this way: in the body only."""
        return method == "client_secret_post"

    def check_response_type(self, response_type: str) -> bool:
        """Say whether the response type is served: `code` only, since February 2025."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Say whether the grant type is served."""
        return grant_type in {"authorization_code", "refresh_token"}
