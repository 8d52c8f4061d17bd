"""Hand over what is due: name the rows of an index, and let the function look into each by itself, later.

A tick of a schedule only lists; whoever is asked reads the row and decides. So a tick may end at any point and lose
nothing, and a row that is named twice is looked at twice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from zendesk_oauth.models.connection import SHARDS
from zendesk_oauth.models.refresh import DueConnection
from zendesk_oauth.ports import Clock


class Due(Protocol):
    """Lists one shard: `RefreshStore.idle` or `RefreshStore.unfinished`."""

    def __call__(self, shard: str, now: datetime) -> Iterable[DueConnection]:
        """Name what is due, the longest due first. Raise StoreUnavailableError."""


class Handover(Protocol):
    """Asks the function for one connection and does not wait for its answer."""

    def __call__(self, connection: DueConnection) -> None:
        """Hand it over. Raise a ZendeskOAuthError where it cannot be."""


@dataclass(frozen=True, slots=True)
class HandOverDue:
    """Goes through the shards while there is time."""

    due: Due
    hand_over: Handover
    clock: Clock

    def __call__(self, until: float) -> Iterator[DueConnection]:
        """Yield each as it is handed over; begin none after `until` (monotonic seconds).

        Raises StoreUnavailableError, and what the handover raises: the next tick begins anew.
        """
        now = self.clock.now()
        for shard in shards_from(now):
            for connection in self.due(shard, now):
                if self.clock.monotonic() >= until:
                    return
                self.hand_over(connection)
                yield connection


def shards_from(now: datetime) -> Iterator[str]:
    """Yield every shard, each minute beginning with another: where time is short, none comes last for ever."""
    first = int(now.timestamp()) // 60 % len(SHARDS)
    yield from SHARDS[first:]
    yield from SHARDS[:first]
