"""What the services of a connection's later life need from outside, in one value."""

from dataclasses import dataclass
from datetime import timedelta

from zendesk_oauth.models.secret import Entropy
from zendesk_oauth.ports import ZendeskApi
from zendesk_oauth.ports.refresh import Keyring, PatientClock, RefreshEndpoint, RefreshStore, RescueQueue

BACK_OFF = timedelta(seconds=15)
"""Where Zendesk does not say how long to wait."""
ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class RefreshPorts:
    """What a refresh needs from outside."""

    store: RefreshStore
    keyring: Keyring
    token_endpoint: RefreshEndpoint
    api: ZendeskApi
    rescue: RescueQueue
    clock: PatientClock
    entropy: Entropy
