"""Ask Zendesk, by the access token, what became of a refresh token: a rotation kills both tokens of a pair.

What it says is a reason to post or to wait, and never to give a connection up: an API can lie once, and a 401 may be
the token's natural end. Only the token endpoint knows whether a refresh token has been spent.
"""

from enum import Enum

from zendesk_oauth.errors import ProviderError, TokenRefusedError
from zendesk_oauth.models.refresh import EXPIRY_SKEW, Connection
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.services.refresh_ports import PROBE_SECONDS, RefreshPorts


class Probe(Enum):
    """What Zendesk says of the old access token, and so of a rotation: a rotation kills it."""

    ALIVE = "not rotated"
    DEAD = "rotated, revoked, or over"
    UNKNOWN = "no information"


def probe_rotation(ports: RefreshPorts, connection: Connection, access_token: Secret) -> Probe:
    """Return what Zendesk says; a token that is over by whatever clock is not even asked with."""
    if ports.clock.now() >= connection.times.expires_at + EXPIRY_SKEW:
        return Probe.UNKNOWN
    deadline = ports.clock.monotonic() + PROBE_SECONDS
    try:
        token_id = ports.api.find_token_id(connection.subdomain, access_token, deadline)
    except TokenRefusedError:
        return Probe.ALIVE
    except ProviderError:
        return Probe.UNKNOWN
    return Probe.DEAD if token_id is None else Probe.ALIVE
