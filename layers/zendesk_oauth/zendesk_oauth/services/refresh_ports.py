"""What the services of a connection's later life need from outside, in one value, and how long each call may take.

What cannot end in the time that is left is not begun. The sums are made here, so that they can be read in one place;
the limits of the clients behind the ports (`bootstrap.refresh`) hold each call to its part.
"""

from collections.abc import Callable
from dataclasses import dataclass

from zendesk_oauth.models.refresh import Renewal
from zendesk_oauth.models.secret import Entropy
from zendesk_oauth.ports import ZendeskApi
from zendesk_oauth.ports.refresh import Keyring, PatientClock, RefreshEndpoint, RefreshStore, RescueQueue

PROBE_SECONDS = 3.0
POST_SECONDS = 45.0
"""The answer may be the only living refresh token in the world, so it is awaited long."""
STORE_SECONDS = 5.0
"""One call of a table that hangs: two tries, and the SDK's pause between them."""
KEY_SECONDS = 5.0
"""The same of a key service that hangs."""
QUEUE_SECONDS = 2.5
"""One call of a rescue queue that hangs: one try, by a client that has to be built first."""
KEEP_SECONDS = STORE_SECONDS + QUEUE_SECONDS
"""What has to be left to make a fresh pair durable, when the POST has taken its full length."""
REFRESH_SECONDS = PROBE_SECONDS + POST_SECONDS + KEEP_SECONDS
"""What has to be left for a refresh."""

REVOKE_SECONDS = 10.0
RETIRE_POST_SECONDS = 30.0
"""Shorter than a refresh's: before it a revocation may have taken its time, and one comes after it."""
RETIRE_SECONDS = RETIRE_POST_SECONDS + KEEP_SECONDS + REVOKE_SECONDS
"""What has to be left where a pair has to be refreshed to be revoked: the POST, the keeping, and the revocation."""

ID_BYTES = 16


def _tell_nobody(_renewal: Renewal) -> None:
    """Leave it to the caller's own telling."""


@dataclass(frozen=True, slots=True)
class RefreshPorts:
    """What a refresh needs from outside.

    `tell_unkept` is called while a fresh pair lies in memory alone and the time is over: whatever ends the process
    now, the log has it.
    """

    store: RefreshStore
    keyring: Keyring
    token_endpoint: RefreshEndpoint
    api: ZendeskApi
    rescue: RescueQueue
    clock: PatientClock
    entropy: Entropy
    tell_unkept: Callable[[Renewal], None] = _tell_nobody
