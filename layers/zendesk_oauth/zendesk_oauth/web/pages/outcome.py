"""What has become of an install, for the person who pressed Allow or Deny.

A page depends on the install's row alone, so that it is the same at each opening, byte for byte.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import NamedTuple

from zendesk_oauth.errors import AccountNotFoundError, ClientRejectedError, ConfigurationError, WrongRoleError
from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.models.tokens import UnusableTokensError
from zendesk_oauth.web.pages.message import Message, message_page
from zendesk_oauth.web.pages.problem import start_again
from zendesk_oauth.web.pages.template import support_url
from zendesk_oauth.web.response import Response
from zendesk_oauth.web.statuses import problem_of_reason

LOOK_AGAIN_SECONDS = 2
_SET_UP = frozenset(
    {
        ClientRejectedError.code,
        ConfigurationError.code,
        UnusableTokensError.code,
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_response_type",
    }
)
"""Reasons that only the operator can mend: no other try helps (RFC 6749 section 4.1.2.1)."""


class Ways(NamedTuple):
    """Where the reader of an install's page can go, from the record alone; None where there is no such way.

    `retry_url` starts the same install again, `form_url` asks for the account anew, `admin_url` is for an admin whom
    the reader asks, `back_url` is the company's page.
    """

    retry_url: str | None = None
    form_url: str | None = None
    admin_url: str | None = None
    back_url: str | None = None


def outcome_page(settings: PageSettings, install: Install, ways: Ways) -> Response:
    """Return the page of an outcome, or of an install that is still at work, which then looks again by itself."""
    if install.status not in _MESSAGES:
        return _in_progress(settings)
    message = _MESSAGES[install.status](install, settings)
    if install.status not in {InstallStatus.DENIED, InstallStatus.FAILED, InstallStatus.ABANDONED}:
        return message_page(settings, message)
    link = (ways.admin_url or "") if install.reason == WrongRoleError.code else ""
    steps = (*_next_step(settings, install, ways), (f"Back to {settings.company_name}", ways.back_url))
    actions = tuple((label, url) for label, url in steps if url)
    return message_page(settings, replace(message, actions=actions, link_to_send=link))


def _next_step(settings: PageSettings, install: Install, ways: Ways) -> tuple[tuple[str, str | None], ...]:
    """Return the step that can work for whoever reads of this reason."""
    if install.reason == WrongRoleError.code:
        return ()
    if install.reason == AccountNotFoundError.code:
        return (("Enter another subdomain", ways.form_url),)
    if install.reason in _SET_UP:
        return ((f"Contact {settings.company_name}", support_url(settings)),)
    return (("Try again", ways.retry_url),)


def unproven_denial_page(settings: PageSettings) -> Response:
    """Return the denied page where nothing shows whose install it was: it names and changes nothing."""
    text = (
        "You pressed Deny at Zendesk, so nothing was connected. To try again, go back to where you started."
    )
    return message_page(
        settings, Message(HTTPStatus.OK, "denied", "Not connected", text, start_again(settings))
    )


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
        f"You approved access for {install.account}.zendesk.com."
        f" Please go back to {settings.company_name}, where this is finished."
    )
    return Message(HTTPStatus.OK, "connected", "Almost there", text)


def _denied(install: Install, settings: PageSettings) -> Message:
    text = (
        f"You pressed Deny at Zendesk, so {install.account}.zendesk.com was not connected to"
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
