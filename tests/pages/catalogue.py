"""One of each page, as it is really answered."""

from local.sam import example_installs as examples
from zendesk_oauth.errors import (
    ConfigurationError,
    ContinueRejectedError,
    InvitationRejectedError,
    InvitationRequiredError,
    PrefetchRefusedError,
    StateRejectedError,
    StoreUnavailableError,
    SubdomainMissingError,
    SubdomainRefusedError,
    UnknownGrantError,
    ZendeskOAuthError,
)
from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.models.install import InstallStatus
from zendesk_oauth.services.start_install import SubdomainNeeded
from zendesk_oauth.web.pages.continue_form import continue_page
from zendesk_oauth.web.pages.form import form_page
from zendesk_oauth.web.pages.outcome import Ways, outcome_page, unproven_denial_page
from zendesk_oauth.web.pages.problem import problem_page
from zendesk_oauth.web.response import Response
from zendesk_oauth.web.statuses import problem_of

START = "https://connect.example.com/oauth/start"
SETTINGS = PageSettings("Example & Sons", "help@example.com", START, "https://app.example.com/settings")
INVITING = PageSettings("Example & Sons", "help@example.com", None, "https://app.example.com/settings")
_NEEDED = SubdomainNeeded("default", "https://app.example.com/settings")


def _outcome(status: InstallStatus, reason: str | None = None, **urls: str) -> Response:
    install = examples.pending("A", status=status, reason=reason)
    return outcome_page(SETTINGS, install, Ways(**urls))


def _problem(error: ZendeskOAuthError, settings: PageSettings = SETTINGS) -> Response:
    return problem_page(settings, problem_of(error), "UhYtestqIAMEexample=")


PAGES = {
    "form": form_page(SETTINGS, START, _NEEDED, None),
    "form-error": form_page(SETTINGS, START, _NEEDED, SubdomainRefusedError("no label"), "Acme Corp"),
    "form-missing": form_page(SETTINGS, START, _NEEDED, SubdomainMissingError("a placeholder")),
    "continue": continue_page(SETTINGS, examples.state("D"), (), lambda count: b"c" * count),
    "connected": _outcome(InstallStatus.CONNECTED),
    "denied": _outcome(InstallStatus.DENIED, retry_url=START, back_url="https://app.example.com/"),
    "denied-without-state": unproven_denial_page(SETTINGS),
    "in-progress": _outcome(InstallStatus.EXCHANGING),
    "failed-role": _outcome(
        InstallStatus.FAILED,
        "wrong_role",
        retry_url=START,
        admin_url=f"{START}?subdomain=acme&grant=default",
        back_url="https://app.example.com/",
    ),
    "failed-account": _outcome(InstallStatus.FAILED, "account_not_found", retry_url=START, form_url=START),
    "failed-client": _outcome(InstallStatus.FAILED, "client_rejected", back_url="https://app.example.com/"),
    "failed-unavailable": _outcome(InstallStatus.FAILED, "provider_unavailable", retry_url=START),
    "failed-store": _outcome(InstallStatus.FAILED, "store_unavailable", retry_url=START),
    "failed-interrupted": _outcome(InstallStatus.FAILED, "interrupted", retry_url=START),
    "over": _outcome(InstallStatus.ABANDONED, "over", retry_url=START),
    "problem": _problem(StateRejectedError("stranger")),
    "problem-grant": _problem(UnknownGrantError("none")),
    "problem-invitation-required": _problem(InvitationRequiredError("none"), INVITING),
    "problem-invitation-rejected": _problem(InvitationRejectedError("used"), INVITING),
    "problem-continue": _problem(ContinueRejectedError("no cookie"), INVITING),
    "problem-prefetch": _problem(PrefetchRefusedError("ahead")),
    "problem-store": _problem(StoreUnavailableError("throttled")),
    "problem-configuration": _problem(ConfigurationError(("GRANTS",)), PageSettings("", "")),
}
