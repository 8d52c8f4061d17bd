"""What the checks need of a deployed stack: an account that nobody has, and where its row and its keys would be."""

import secrets
from dataclasses import dataclass

from deployed.stack import DeployedStack

SUBDOMAIN = "verify-aws"
"""An account that nobody has: no row is ever found, and none is made."""
ENCODED = "verify-%61ws"
"""The same in another spelling."""
OTHER_GRANT = "verify-other"
_INSTALL_ID = "verify-aws"


@dataclass(frozen=True, slots=True)
class Deployed(DeployedStack):
    """A stack, and a connection that it has not."""

    def row(self, grant: str) -> dict[str, dict[str, str]]:
        """Return the key of a connection that is not there."""
        return {"connection_key": {"S": f"{grant}#{SUBDOMAIN}"}}

    def context(self, grant: str, field: str) -> dict[str, str]:
        """Return the encryption context of a field of that connection."""
        return {
            "application": self.parameters["Application"],
            "stage": self.parameters["Stage"],
            "grant": grant,
            "subdomain": SUBDOMAIN,
            "field": field,
        }


def install_key() -> dict[str, dict[str, str]]:
    """Return the key of an install that is not there."""
    return {"install_id": {"S": f"{_INSTALL_ID}-{secrets.token_hex(8)}"}}
