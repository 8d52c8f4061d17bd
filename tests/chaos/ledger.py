"""What Zendesk has issued, and what became of it: the truth that everything else is held against.

The fake Zendesk writes it, in the run's own process: which pair a POST has spent, which one it has issued, which was
deleted, and what was done to the request on purpose.
"""

import threading
from dataclasses import dataclass, field

from local.zendesk.tokens import TokenPair
from tests.chaos.plan import Fault


@dataclass(slots=True)
class Post:
    """One POST to the token endpoint, by which job, in seconds of the run."""

    at: float
    account: str
    grant_type: str
    job: int
    fault: Fault | None = None
    spent: TokenPair | None = None
    """The pair whose refresh token it brought."""
    issued: TokenPair | None = None
    is_refused: bool = False
    """The token endpoint itself has said invalid_grant."""

    def has_fault(self, kind: str) -> bool:
        """Tell whether it met a fault of that kind."""
        return self.fault is not None and self.fault.kind == kind

    def __str__(self) -> str:
        spent = f" with pair {self.spent.id}" if self.spent else ""
        came = (
            f"issues pair {self.issued.id}"
            if self.issued
            else "invalid_grant"
            if self.is_refused
            else "nothing"
        )
        fault = f", {self.fault.kind} {dict(self.fault.options)}" if self.fault else ""
        return f"POST {self.grant_type}{spent} by job {self.job}: {came}{fault}"


@dataclass(slots=True)
class ApiCall:
    """One call of the API by a job, with the status that its work gave, or none where it was not worked on."""

    at: float
    account: str
    request: str
    job: int
    pair: TokenPair | None
    fault: Fault | None = None
    status: int | None = None

    def __str__(self) -> str:
        pair = f" with pair {self.pair.id}" if self.pair else ""
        fault = f", {self.fault.kind} {dict(self.fault.options)}" if self.fault else ""
        return f"{self.request}{pair} by job {self.job}: {self.status}{fault}"


@dataclass(slots=True)
class Ledger:
    """Every POST, every call of a job, and the deaths by deletion; safe under threads."""

    posts: list[Post] = field(default_factory=list)
    calls: list[ApiCall] = field(default_factory=list)
    revoked: dict[int, float] = field(default_factory=dict)
    """When a pair was deleted, by its id."""
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_number(self, account: str, what: str) -> int:
        """Return the number of the account's next request of a kind."""
        with self._lock:
            number = self._numbers.get((account, what), 0) + 1
            self._numbers[account, what] = number
        return number

    def post(self, post: Post) -> Post:
        """Keep a POST."""
        with self._lock:
            self.posts.append(post)
        return post

    def call(self, call: ApiCall) -> ApiCall:
        """Keep a call."""
        with self._lock:
            self.calls.append(call)
        return call
