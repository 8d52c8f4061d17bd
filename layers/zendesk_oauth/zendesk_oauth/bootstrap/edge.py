"""Puts a function's edge together, also where the deployment is set up wrongly.

Then each request is answered with a 500 of ours, instead of a bare 502 of the gateway, and logged again.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from zendesk_oauth.errors import ConfigurationError
from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.observability import Journal
from zendesk_oauth.ports import Clock
from zendesk_oauth.settings import Variables
from zendesk_oauth.web.edge import Answer, Edge, Refusal, Refuse
from zendesk_oauth.web.request import Request
from zendesk_oauth.web.response import Response
from zendesk_oauth.web.statuses import Problem

type AnswerRequest = Callable[[Request], Answer | Refusal | Problem]


def variables_of(function: str, environ: Mapping[str, str] | None) -> Variables:
    """Return what reads a function's variables: the process's own, unless others are given."""
    return Variables(function) if environ is None else Variables(function, environ)


def build_edge(
    methods: str | AbstractSet[str], refuse: Refuse, clock: Clock, build_answer: Callable[[], AnswerRequest]
) -> Edge:
    """Return the edge around the answer that `build_answer` gives or, where that raises ConfigurationError, without."""
    journal = Journal()
    try:
        answer = build_answer()
    except ConfigurationError as error:
        journal.misconfigured(error)
        answer = _misconfigured(error.problems)
    return Edge(methods, answer, refuse, journal, clock)


def refuse_with_page(settings: PageSettings) -> Refuse:
    """Return what shows problems as pages."""

    def refuse(problem: Problem, reference: str) -> Response:
        from zendesk_oauth.web.pages.problem import problem_page  # noqa: PLC0415 - a good request never shows it

        return problem_page(settings, problem, reference)

    return refuse


def _misconfigured(problems: tuple[str, ...]) -> AnswerRequest:
    def answer(request: Request) -> Answer:  # noqa: ARG001 - whatever is asked
        raise ConfigurationError(problems)

    return answer
