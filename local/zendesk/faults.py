"""The queue of misbehaviours that are still to come.

The rule: the oldest one that fits a request is taken for it; each counts down by itself, or lasts until cleared.
"""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

ENDPOINTS = ("token", "users_me", "tickets", "current_token", "delete_token", "webhooks", "api")
"""Where something can go wrong; `api` stands for all but `token`."""


@dataclass
class Fault:
    """A misbehaviour to come; `times` None means until cleared, the filters None mean everybody."""

    kind: str
    endpoint: str
    times: int | None
    subdomain: str | None
    grant_type: str | None
    options: Mapping[str, object] = field(default_factory=dict)

    def fits(self, endpoint: str, subdomain: str, grant_type: str | None) -> bool:
        """Say whether this request is one to misbehave on."""
        here = self.endpoint == endpoint or (self.endpoint == "api" and endpoint != "token")
        return here and self.subdomain in {None, subdomain} and self.grant_type in {None, grant_type}


class Faults:
    """Misbehaviours in the order in which they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Queue a misbehaviour; raises ValueError for a place or a number that is none."""
        if fault.endpoint not in ENDPOINTS:
            raise ValueError(f"there is no endpoint {fault.endpoint!r}")
        if fault.times is not None and fault.times < 1:
            raise ValueError("times must be 1 or more, or null for ever")
        with self._lock:
            self._queue.append(fault)

    def take(self, endpoint: str, subdomain: str, grant_type: str | None) -> Fault | None:
        """Return the misbehaviour for this request and count it, or None."""
        with self._lock:
            fault = next((one for one in self._queue if one.fits(endpoint, subdomain, grant_type)), None)
            if fault is not None and fault.times is not None:
                fault.times -= 1
                if fault.times == 0:
                    self._queue.remove(fault)
        return fault

    def clear(self) -> None:
        """Behave from now on."""
        with self._lock:
            self._queue.clear()

    def to_come(self) -> list[dict[str, object]]:
        """Return what is queued, as JSON values."""
        with self._lock:
            return [asdict(fault) for fault in self._queue]
