"""One of each page, as it is really answered."""

from tests.handlers import examples
from zendesk_oauth.errors import StateRejectedError, SubdomainRefusedError
from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.models.install import InstallStatus
from zendesk_oauth.services.start_install import SubdomainNeeded
from zendesk_oauth.web.pages.continue_form import continue_page
from zendesk_oauth.web.pages.form import form_page
from zendesk_oauth.web.pages.outcome import outcome_page, unproven_denial_page
from zendesk_oauth.web.pages.problem import problem_page
from zendesk_oauth.web.response import Response
from zendesk_oauth.web.statuses import problem_of

SETTINGS = PageSettings("Example & Sons", "help@example.com")
START = "https://connect.example.com/oauth/start"
_NEEDED = SubdomainNeeded("default", "https://app.example.com/settings")


def _outcome(status: InstallStatus, reason: str | None = None, **urls: str) -> Response:
    install = examples.pending("A", status=status, reason=reason)
    return outcome_page(SETTINGS, install, retry_url=urls.get("retry_url"), back_url=urls.get("back_url"))


PAGES = {
    "form": form_page(SETTINGS, START, _NEEDED, None),
    "form-error": form_page(SETTINGS, START, _NEEDED, SubdomainRefusedError("no label")),
    "continue": continue_page(SETTINGS, examples.state("D"), (), lambda count: b"c" * count),
    "connected": _outcome(InstallStatus.CONNECTED),
    "denied": _outcome(InstallStatus.DENIED, retry_url=START, back_url="https://app.example.com/"),
    "denied-without-state": unproven_denial_page(SETTINGS),
    "in-progress": _outcome(InstallStatus.EXCHANGING),
    "failed-role": _outcome(InstallStatus.FAILED, "wrong_role", retry_url=START),
    "failed-client": _outcome(InstallStatus.FAILED, "client_rejected", back_url="https://app.example.com/"),
    "failed-unavailable": _outcome(InstallStatus.FAILED, "provider_unavailable", retry_url=START),
    "failed-store": _outcome(InstallStatus.FAILED, "store_unavailable", retry_url=START),
    "failed-interrupted": _outcome(InstallStatus.FAILED, "interrupted", retry_url=START),
    "over": _outcome(InstallStatus.ABANDONED, "over", retry_url=START),
    "problem": problem_page(SETTINGS, problem_of(StateRejectedError("stranger")), "UhYtestqIAMEexample="),
}
