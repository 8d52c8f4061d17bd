"""An error, for people: what it means, and a short code by which support finds its log line."""

from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.web.pages.message import Message, message_page
from zendesk_oauth.web.response import Response
from zendesk_oauth.web.statuses import Problem


def problem_page(settings: PageSettings, problem: Problem, reference: str) -> Response:
    """Return the page of a problem."""
    message = Message(
        problem.status,
        "failed",
        "This did not work",
        problem.message,
        reference=f"{problem.code} · {reference}",
    )
    return message_page(settings, message)
