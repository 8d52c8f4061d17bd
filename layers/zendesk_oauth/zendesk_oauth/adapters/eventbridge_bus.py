"""The bus in EventBridge. PutEvents takes some and refuses others: only the refused are tried again."""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from zendesk_oauth.adapters.aws_errors import code_of
from zendesk_oauth.models.event import Event

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE = "zendesk-oauth"
"""The source of every event; application and stage stand in its detail."""
ENTRIES = 10
"""What one call takes at most (EventBridge, PutEvents)."""
ATTEMPTS = 3
LONGEST_FIRST_PAUSE = 0.2
"""Seconds; doubled for the second pause, and drawn between nothing and that."""


class EventBridgeBus(NamedTuple):
    """The port `EventBus` on a low-level client. `pause` waits that many seconds."""

    client: "EventBridgeClient"
    bus_name: str
    pause: Callable[[float], None]

    def put(self, events: Sequence[Event]) -> Mapping[int, str]:
        """Put them on the bus, in their order, ten in a call; what is refused is tried three times in all."""
        refused = dict.fromkeys(range(len(events)), "")
        for attempt in range(ATTEMPTS):
            if attempt and refused:
                self.pause(_jittered(attempt))
            refused = {
                position: reason
                for some in batched(refused, ENTRIES, strict=False)
                for position, reason in self._refused(events, some)
            }
        return refused

    def _refused(self, events: Sequence[Event], positions: Sequence[int]) -> Iterator[tuple[int, str]]:
        """Yield those that one call did not put there, and why: all of them where it failed as a whole."""
        try:
            answer = self.client.put_events(Entries=[self._entry(events[position]) for position in positions])
        except (ClientError, BotoCoreError) as error:
            reason = code_of(error) if isinstance(error, ClientError) else type(error).__name__
            yield from ((position, reason) for position in positions)
            return
        for position, entry in zip(positions, answer["Entries"], strict=True):
            if "ErrorCode" in entry:
                yield position, entry["ErrorCode"]

    def _entry(self, event: Event) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": self.bus_name,
            "Source": SOURCE,
            "DetailType": event.event_type,
            "Detail": json.dumps(event.detail),
        }


def _jittered(attempt: int) -> float:
    return random.uniform(0, LONGEST_FIRST_PAUSE * 2 ** (attempt - 1))  # noqa: S311 - a pause is no secret
