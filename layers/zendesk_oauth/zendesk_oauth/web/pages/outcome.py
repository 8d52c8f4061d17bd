"""What has become of an install, for the person who pressed Allow or Deny.

A page depends on the install's row alone, so that it is the same at each opening, byte for byte.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus

from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.web.pages.message import Message, message_page
from zendesk_oauth.web.response import Response
from zendesk_oauth.web.statuses import problem_of_reason

LOOK_AGAIN_SECONDS = 2


def outcome_page(
    settings: PageSettings, install: Install, *, retry_url: str | None, back_url: str | None
) -> Response:
    """Return the page of an outcome, or of an install that is still at work, which then looks again by itself."""
    if install.status not in _MESSAGES:
        return _in_progress(settings)
    message = _MESSAGES[install.status](install, settings)
    actions = (("Try again", retry_url), (f"Back to {settings.company_name}", back_url))
    is_retried = install.status in {InstallStatus.DENIED, InstallStatus.FAILED, InstallStatus.ABANDONED}
    offered = tuple((label, url) for label, url in actions if url) if is_retried else ()
    return message_page(settings, replace(message, actions=offered))


def unproven_denial_page(settings: PageSettings) -> Response:
    """Return the denied page where nothing shows whose install it was: it names and changes nothing."""
    text = "You said no at Zendesk, so nothing was connected. To try again, go back to where you started."
    return message_page(settings, Message(HTTPStatus.OK, "denied", "Not connected", text))


def _in_progress(settings: PageSettings) -> Response:
    message = Message(
        HTTPStatus.OK,
        "working",
        "Connecting…",
        "We are finishing this with Zendesk. This page looks again by itself every two seconds.",
    )
    response = message_page(settings, message)
    return response._replace(headers={**response.headers, "Refresh": str(LOOK_AGAIN_SECONDS)})


def _connected(install: Install, settings: PageSettings) -> Message:
    text = f"{install.account}.zendesk.com is now connected to {settings.company_name}. You can close this window."
    return Message(HTTPStatus.OK, "connected", "Zendesk is connected", text)


def _candidate(install: Install, settings: PageSettings) -> Message:
    text = (
        f"You have said yes for {install.account}.zendesk.com. Please go back to {settings.company_name},"
        " where this is finished."
    )
    return Message(HTTPStatus.OK, "connected", "Almost there", text)


def _denied(install: Install, settings: PageSettings) -> Message:
    text = (
        f"You said no at Zendesk, so {install.account}.zendesk.com was not connected to"
        f" {settings.company_name}. Nothing has changed."
    )
    return Message(HTTPStatus.OK, "denied", "Not connected", text)


def _failed(install: Install, settings: PageSettings) -> Message:  # noqa: ARG001 - the table's shape
    problem = problem_of_reason(install.reason or "internal")
    title = "Not connected" if problem.status < HTTPStatus.INTERNAL_SERVER_ERROR else "That did not work"
    return Message(
        problem.status, "failed", title, problem.message, reference=f"{problem.code} · {install.install_id}"
    )


_MESSAGES: Mapping[InstallStatus, Callable[[Install, PageSettings], Message]] = {
    InstallStatus.CONNECTED: _connected,
    InstallStatus.CANDIDATE: _candidate,
    InstallStatus.DENIED: _denied,
    InstallStatus.FAILED: _failed,
    InstallStatus.ABANDONED: _failed,
}
