"""What reading a token needs from outside: the row, the key, and somebody who refreshes."""

from typing import Protocol

from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.token import RefreshReport, RefreshRequest, StoredToken


class TokenReader(Protocol):
    """The access tokens' part of the connections' rows."""

    def find(self, grant: str, subdomain: Subdomain, *, consistent: bool) -> StoredToken | None:
        """Read one, strongly if `consistent`; None: there is none. Raise StoreUnavailableError."""


class TokenOpener(Protocol):
    """Opens access tokens; asks the key service only for a key that it has not seen."""

    def open(self, stored: StoredToken) -> Secret:
        """Return the token. Raise KeyUnavailableError, or SealBrokenError where it is not the one sealed there."""


class Refresher(Protocol):
    """Whoever may refresh. The request only names a row; the row decides."""

    def ask(self, request: RefreshRequest, seconds: float) -> RefreshReport:
        """Return how it ended, within about that many seconds, or HANDED_OVER.

        Raise RefreshPendingError where nobody could be asked now, ConfigurationError where nobody ever can.
        """
