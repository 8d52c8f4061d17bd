"""An error, for people: what it means, the step that can help, and a code by which support finds its log line.

Steps lead to addresses of the settings, or to the address of the page itself: an empty `href`, which echoes nothing.
"""

from http import HTTPStatus

from zendesk_oauth.errors import ConfigurationError, PrefetchRefusedError
from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.web.pages.message import Message, Steps, message_page
from zendesk_oauth.web.response import Response
from zendesk_oauth.web.statuses import Problem

_THIS_PAGE = ""


def problem_page(settings: PageSettings, problem: Problem, reference: str) -> Response:
    """Return the page of a problem."""
    message = Message(
        problem.status,
        "failed",
        "This did not work",
        problem.message,
        actions=_steps(settings, problem),
        reference=f"{problem.code} · {reference}",
    )
    return message_page(settings, message)


def start_again(settings: PageSettings) -> Steps:
    """Return where a person can begin anew: at our form, and at the company's own page."""
    steps = (("Start again", settings.start_url), (f"Back to {settings.company_name}", settings.site_url))
    return tuple((label, url) for label, url in steps if url)


def _steps(settings: PageSettings, problem: Problem) -> Steps:
    """Return what helps: the same address later where the fault is ours or passing, else another start.

    Where the deployment is set up wrongly nothing does, and its addresses are not to be trusted.
    """
    if problem.code == ConfigurationError.code:
        return ()
    if problem.code == PrefetchRefusedError.code:
        return (("Open this page", _THIS_PAGE),)
    again = (("Try again", _THIS_PAGE),) if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR else ()
    return (*again, *start_again(settings))
