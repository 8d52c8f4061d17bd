"""Give a worker an access token, and have it refreshed where that is due; a worker never speaks OAuth.

An eventually consistent read may give a token, and never a verdict: what it shows otherwise is read again strongly,
so that nobody is told to connect again a second after the connection was made.
"""

import random
from typing import TYPE_CHECKING

from zendesk_oauth.models.scopes import missing
from zendesk_oauth.models.token import ACTIVE, AccessToken, StoredToken, TokenQuestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from zendesk_oauth.ports.refresh import PatientClock
    from zendesk_oauth.ports.token import Refresher, TokenOpener, TokenReader


class ReadToken:
    """Reads the row, and has it refreshed where that is due. `reconnect_url` is the address of `GET /oauth/start`."""

    def __init__(
        self,
        reader: "TokenReader",
        opener: "TokenOpener",
        refresher: "Refresher",
        clock: "PatientClock",
        reconnect_url: str | None = None,
    ) -> None:
        self.reader = reader
        self.opener = opener
        self.refresher = refresher
        self.clock = clock
        self.reconnect_url = reconnect_url
        self.jitter: Callable[[], float] = random.random

    def __call__(self, question: TokenQuestion, until: float) -> AccessToken:
        """Return the token, by about `until` (monotonic seconds): one that lives, of an active connection.

        Its generation is newer than the question's, unless Zendesk itself says that the failed one lives, or the row
        was older than that one already.
        Raises ReconnectRequiredError, MissingScopeError, RefreshPendingError; StoreUnavailableError or a SealError
        where row or key cannot be had; ConfigurationError where `refresh` may not be asked.
        """
        stored = self._glimpse(question) or self._awaited(question, until)
        return AccessToken(
            value=self.opener.open(stored),
            epoch=stored.epoch,
            generation=stored.generation,
            expires_at=stored.expires_at,
            refresh_at=stored.refresh_at,
            scopes=stored.scopes,
        )

    def _glimpse(self, question: TokenQuestion) -> StoredToken | None:
        """Read cheaply, and believe only what is good. After a 401 that would mostly be the failed one again."""
        if question.newer_than is not None:
            return None
        stored = self.reader.find(question.grant, question.subdomain, consistent=False)
        if stored is None or stored.status != ACTIVE or missing(question.scopes, stored.scopes):
            return None
        return stored if stored.is_fresh(question, self.clock.now()) else None

    def _awaited(self, question: TokenQuestion, until: float) -> StoredToken:
        from zendesk_oauth.services.await_token import AwaitToken  # noqa: PLC0415 - most tokens are seen at a glance

        return AwaitToken(self, question, until).run()
