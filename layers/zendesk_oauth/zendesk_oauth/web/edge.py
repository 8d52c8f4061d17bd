"""The way of every request: read it, ask one use case, answer, and write one line about it.

Whatever goes wrong on the way ends in an answer of ours, with our headers and a reference to that line.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import NamedTuple, Protocol

from zendesk_oauth.errors import PrefetchRefusedError
from zendesk_oauth.models.install import Install
from zendesk_oauth.ports import Clock
from zendesk_oauth.web.request import Request, method_of, parse_request, reference_of
from zendesk_oauth.web.response import Response
from zendesk_oauth.web.statuses import Problem, method_not_allowed, problem_of

REFUSED = "refused"


class Answer(NamedTuple):
    """A response and what it means, for the log and the metrics.

    `repeated` is True where the same was answered before: it is logged and not counted again.
    `subject` is what the log line names where no install is spoken of: grant, subdomain, epoch and the like.
    """

    response: Response
    outcome: str
    install: Install | None = None
    error: Exception | None = None
    repeated: bool = False
    subject: Mapping[str, object] = MappingProxyType({})


class Refusal(NamedTuple):
    """What stands in the way of a request, and what the request was about."""

    why: Exception | Problem
    subject: Mapping[str, object] = MappingProxyType({})


class Journal(Protocol):
    """Where the edge says what it did."""

    def record(self, answer: Answer, reference: str, seconds: float) -> None:
        """Write one line about a request, and count it."""


type Refuse = Callable[[Problem, str], Response]
"""Puts a problem and the request's reference before whoever asked: as a page or as JSON."""


class Edge:
    """A Lambda handler: one method or a few, one answer for each request, one voice for what goes wrong."""

    def __init__(
        self,
        methods: str | AbstractSet[str],
        answer: Callable[[Request], Answer | Refusal | Problem],
        refuse: Refuse,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self.methods = frozenset({methods} if isinstance(methods, str) else methods)
        self.answer = answer
        self.refuse = refuse
        self.journal = journal
        self.clock = clock

    def __call__(self, event: object, context: object) -> dict[str, object]:
        """Return the payload of an answer, whatever the event is."""
        began = self.clock.monotonic()
        reference = reference_of(event, context)
        answer = self._answer(event, reference)
        self.journal.record(answer, reference, self.clock.monotonic() - began)
        return answer.response.as_payload()

    def _answer(self, event: object, reference: str) -> Answer:
        try:
            answer = self._answer_or_not(event)
        except Exception as error:  # noqa: BLE001 - the border: beyond it only the gateway's bare 502 is left
            answer = Refusal(error)
        if isinstance(answer, Problem):
            answer = Refusal(answer)
        return self._refusal(answer, reference) if isinstance(answer, Refusal) else answer

    def _answer_or_not(self, event: object) -> Answer | Refusal | Problem:
        if method_of(event) not in self.methods:
            return method_not_allowed(self.methods)
        request = parse_request(event)
        if request.is_prefetch:
            raise PrefetchRefusedError("a browser looks ahead")
        return self.answer(request)

    def _refusal(self, refusal: Refusal, reference: str) -> Answer:
        why, subject = refusal
        if isinstance(why, Problem):
            return Answer(self._refused(why, reference), why.code, subject=subject)
        return Answer(self._refused(problem_of(why), reference), REFUSED, error=why, subject=subject)

    def _refused(self, problem: Problem, reference: str) -> Response:
        response = self.refuse(problem, reference)
        headers = dict(response.headers)
        if problem.allowed:
            headers["Allow"] = ", ".join(sorted(problem.allowed))
        if problem.retry_seconds is not None:
            headers["Retry-After"] = str(problem.retry_seconds)
        return Response(response.status, response.body, headers)
