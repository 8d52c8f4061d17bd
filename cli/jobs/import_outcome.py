"""How a line of an import has ended, and what is to be done about it."""

from enum import StrEnum
from typing import NamedTuple

from zendesk_oauth.models.subdomain import Subdomain


class ImportOutcome(StrEnum):
    """The end of one line."""

    IMPORTED = "imported"
    """Written now, and Zendesk itself says that its access token lives."""
    REFRESHED = "refreshed"
    """Written now or before, and `refresh` has brought a new pair for it."""
    DONE = "done"
    """An earlier run has imported it."""
    CONNECTED = "connected"
    """The account has a connection of another origin, which was left as it is."""
    PENDING = "pending"
    """Written, and its first refresh has not ended yet; a schedule goes on with it."""
    LATER = "later"
    """Not written: Zendesk, the table or the key service did not answer."""
    CANNOT_REFRESH = "cannot_refresh"
    """There is no refresh token: it was not written."""
    LOST = "lost"
    """Zendesk does not take its refresh token any more."""
    WRONG_ROLE = "wrong_role"
    """The token is not of somebody who may connect the account: it was not written."""
    REFUSED = "refused"
    """Zendesk does not say whose token it is, because it may not ask that: it was not written."""
    UNCLEAR = "unclear"
    """Zendesk answers, and not as an account does: there may be none of that name. It was not written."""
    BAD = "bad"
    """The line itself is wrong: it was not written."""


GOOD = frozenset(
    {ImportOutcome.IMPORTED, ImportOutcome.REFRESHED, ImportOutcome.DONE, ImportOutcome.CONNECTED}
)
"""After these nothing is left to do."""
_CONNECT = frozenset(
    {ImportOutcome.CANNOT_REFRESH, ImportOutcome.LOST, ImportOutcome.WRONG_ROLE, ImportOutcome.REFUSED}
)
_RUN_AGAIN = "run the import again"


class LineReport(NamedTuple):
    """What a report says of one line: nothing of its tokens. `reason` is a code or a text, or empty."""

    number: int
    grant: str | None
    subdomain: Subdomain | None
    outcome: ImportOutcome
    reason: str = ""

    def to_do(self, start_url: str | None) -> str:
        """Return what is to be done, empty where nothing is; `start_url` is where installs begin, if openly."""
        if self.outcome in GOOD:
            return ""
        if self.outcome in _CONNECT:
            return _reconnect(start_url, self.grant, self.subdomain)
        if self.outcome is ImportOutcome.UNCLEAR:
            return f"look whether there is such an account, and {_RUN_AGAIN}"
        if self.outcome is ImportOutcome.BAD:
            return f"correct the line, and {_RUN_AGAIN}"
        return _RUN_AGAIN


def _reconnect(start_url: str | None, grant: str | None, subdomain: Subdomain | None) -> str:
    if start_url is None:
        return "invite a user of the account to connect it"
    return f"have an admin connect the account: {start_url}?subdomain={subdomain}&grant={grant}"
