"""Which of the client's secrets is sent, while the operator replaces one by the other.

Secrets Manager and Zendesk never change at the same instant, so for a while the previous secret is the valid one, or
a newer one than this process has kept. `invalid_client` comes before the refresh token is looked at (RFC 6749
section 6), so nothing was rotated and one more try is safe.
"""

from zendesk_oauth.errors import ConfigurationError, SecretUnavailableError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.ports import ClientSecret, Clock

REMEMBERED_SECONDS = 15 * 60.0
"""How long the one that was taken is sent first, so that a change does not double every refresh's POST."""


class SecretChoice:
    """The current secret first, unless another was taken a short while ago."""

    def __init__(self, client_secret: ClientSecret, clock: Clock) -> None:
        self._client_secret = client_secret
        self._clock = clock
        self._taken: Secret | None = None
        self._taken_until = 0.0

    def first(self) -> Secret:
        """Return the one to begin with. Raises as the port `ClientSecret`."""
        taken = self._taken
        if taken is not None and self._clock.monotonic() < self._taken_until:
            return taken
        return self._client_secret()

    def other_than(self, refused: Secret) -> Secret | None:
        """Return the current secret, read anew, or else the previous one; None where neither is another."""
        self._taken = None
        self._client_secret.forget()
        try:
            current = self._client_secret()
            other = self._client_secret.previous() if current == refused else current
        except (ConfigurationError, SecretUnavailableError):
            return None
        return None if other == refused else other

    def remember(self, taken: Secret) -> None:
        """Begin with this one for a while."""
        self._taken = taken
        self._taken_until = self._clock.monotonic() + REMEMBERED_SECONDS
