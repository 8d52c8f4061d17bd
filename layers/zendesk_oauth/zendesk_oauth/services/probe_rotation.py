"""Ask Zendesk, by the access token, what became of a refresh token: a rotation kills both tokens of a pair."""

from enum import Enum

from zendesk_oauth.errors import ProviderError, TokenRefusedError
from zendesk_oauth.models.refresh import CLOCK_SKEW, Connection
from zendesk_oauth.ports.refresh import UnlockedPair
from zendesk_oauth.services.refresh_ports import PROBE_SECONDS, RefreshPorts


class Probe(Enum):
    """What Zendesk says of the old access token, and so of a rotation: a rotation kills it."""

    ALIVE = "not rotated"
    DEAD = "rotated, or revoked"
    UNKNOWN = "no information"


def probe_rotation(ports: RefreshPorts, connection: Connection, pair: UnlockedPair) -> Probe:
    """Return what Zendesk says. Near the token's own end a 401 says nothing, so it is not even asked."""
    if ports.clock.now() + CLOCK_SKEW >= connection.times.expires_at:
        return Probe.UNKNOWN
    deadline = ports.clock.monotonic() + PROBE_SECONDS
    try:
        token_id = ports.api.find_token_id(connection.subdomain, pair.access_token, deadline)
    except TokenRefusedError:
        return Probe.ALIVE
    except ProviderError:
        return Probe.UNKNOWN
    return Probe.DEAD if token_id is None else Probe.ALIVE
