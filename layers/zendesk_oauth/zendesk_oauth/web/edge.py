"""The way of every request: read it, ask one use case, answer, and write one line about it.

Whatever goes wrong on the way ends in an answer of ours, with our headers and a reference to that line.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from zendesk_oauth.errors import PrefetchRefusedError
from zendesk_oauth.models.install import Install
from zendesk_oauth.ports import Clock
from zendesk_oauth.web.request import Request, method_of, parse_request, reference_of
from zendesk_oauth.web.response import Response
from zendesk_oauth.web.statuses import METHOD_NOT_ALLOWED, Problem, problem_of

REFUSED = "refused"


class Answer(NamedTuple):
    """A response and what it means, for the log and the metrics.

    `repeated` is True where the same was answered before: it is logged and not counted again.
    """

    response: Response
    outcome: str
    install: Install | None = None
    error: Exception | None = None
    repeated: bool = False


class Journal(Protocol):
    """Where the edge says what it did."""

    def record(self, answer: Answer, reference: str, seconds: float) -> None:
        """Write one line about a request, and count it."""


type Refuse = Callable[[Problem, str], Response]
"""Puts a problem and the request's reference before whoever asked: as a page or as JSON."""


class Edge:
    """A Lambda handler: one method, one use case, one voice for what goes wrong."""

    def __init__(
        self,
        method: str,
        answer: Callable[[Request], Answer | Problem],
        refuse: Refuse,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self.method = method
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
            answer = self._answer_or_problem(event)
        except Exception as error:  # noqa: BLE001 - the border: beyond it only the gateway's bare 502 is left
            return Answer(self._refused(problem_of(error), reference), REFUSED, error=error)
        if isinstance(answer, Problem):
            return Answer(self._refused(answer, reference), answer.code)
        return answer

    def _answer_or_problem(self, event: object) -> Answer | Problem:
        if method_of(event) != self.method:
            return METHOD_NOT_ALLOWED
        request = parse_request(event)
        if request.is_prefetch:
            raise PrefetchRefusedError("a browser looks ahead")
        return self.answer(request)

    def _refused(self, problem: Problem, reference: str) -> Response:
        response = self.refuse(problem, reference)
        headers = dict(response.headers)
        if problem is METHOD_NOT_ALLOWED:
            headers["Allow"] = self.method
        if problem.retry_seconds is not None:
            headers["Retry-After"] = str(problem.retry_seconds)
        return Response(response.status, response.body, headers)
