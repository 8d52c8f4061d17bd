"""What an operator asks of the deployment, and what comes of it: nothing here changes anything."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from zendesk_oauth.models.refresh import Connection
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.tokens import AuthorizedUser


class ProbeOutcome(StrEnum):
    """What is known of a connection's access token."""

    ALIVE = "alive"
    """Zendesk takes it."""
    DEAD = "dead"
    """Zendesk does not take it, and its time is not over: it was revoked, or rotated by an answer that was lost."""
    OVER = "over"
    """Zendesk does not take it any more, and its time is over or nearly: that says nothing of the refresh token."""
    UNKNOWN = "unknown"
    """Nobody could be asked, or nothing was learnt: the cause says why."""
    NOT_CONNECTED = "not_connected"
    """There is no token to ask with: never connected, or disconnected."""


class ProbeAnswer(NamedTuple):
    """The outcome, the row as it was read, and what Zendesk itself says of the token, as far as it does.

    `cause` is the code of the error that kept it from saying all.
    """

    outcome: ProbeOutcome
    connection: Connection | None = None
    scopes: Scopes | None = None
    expires_at: datetime | None = None
    user: AuthorizedUser | None = None
    cause: str | None = None


class Examination(NamedTuple):
    """How each of what the deployment needs is: `ok`, or the code of the error that came of it; None: not asked.

    `secret`: it can be read. `client`: Zendesk knows us by it. `key`: tokens can be sealed and opened.
    `secret_problem` says what is wrong with a secret that can be read and cannot be meant; it quotes nothing of it.
    """

    secret: str
    client: str | None
    key: str
    secret_problem: str | None = None

    @property
    def is_ok(self) -> bool:
        """Whether all three are as they should be."""
        return {self.secret, self.client, self.key} == {OK}


OK = "ok"
