"""/oauth/start: the form where no account is named, else the way to Zendesk.

GET, and one POST: that of the page which asks before an invitation is used up (docs/decisions/0027).
"""

from collections.abc import Callable
from http import HTTPStatus

from zendesk_oauth.errors import ContinueRejectedError, SubdomainMissingError, SubdomainRefusedError
from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.models.secret import Entropy
from zendesk_oauth.models.subdomain import Subdomain, parse_subdomain
from zendesk_oauth.services.start_install import ConsentNeeded, Started, StartRequest, SubdomainNeeded
from zendesk_oauth.web.cookies import set_cookies
from zendesk_oauth.web.edge import Answer
from zendesk_oauth.web.query import parse_query
from zendesk_oauth.web.request import Request
from zendesk_oauth.web.response import redirect
from zendesk_oauth.web.statuses import Problem, method_not_allowed

_PARAMETERS = frozenset({"grant", "invitation", "return_to", "subdomain"})
_WHITE_SPACE = " \t"
_GET = frozenset({"GET"})
_PLACEHOLDERS = frozenset({"", "nan", "none", "null", "undefined"})
"""What a page sends that fills its link from a variable without a value. `none.zendesk.com` still names an account."""


class AnswerStart:
    """Asks the use case, and answers with the form or a redirect."""

    def __init__(
        self,
        start_install: Callable[[StartRequest], Started | SubdomainNeeded | ConsentNeeded],
        page_settings: PageSettings,
        start_url: str,
        entropy: Entropy,
    ) -> None:
        self.start_install = start_install
        self.entropy = entropy
        self.page_settings = page_settings
        self.start_url = start_url

    def __call__(self, request: Request) -> Answer | Problem:
        """Return the answer. Raises a RequestError or a StoreError."""
        query = parse_query(request.unverified_query, _PARAMETERS)
        invitation = query.get("invitation")
        if request.method == "POST" and (invitation is None or not _is_continued(request, invitation)):
            return method_not_allowed(_GET)
        subdomain, refused = _subdomain(query.get("subdomain"))
        # Also where the subdomain is refused: only checked values go into the form's hidden fields.
        started = self.start_install(
            StartRequest(
                subdomain=subdomain,
                unverified_grant=query.get("grant"),
                unverified_return_to=query.get("return_to"),
                unverified_invitation=invitation,
                may_spend=request.is_navigation or request.method == "POST",
            )
        )
        if isinstance(started, SubdomainNeeded):
            return self._form(started, refused, query.get("subdomain", ""))
        if isinstance(started, ConsentNeeded):
            return self._continue(started, request)
        cookies = set_cookies(started.install.install_id, started.binding.browser, request.cookies)
        status = HTTPStatus.SEE_OTHER if request.method == "POST" else HTTPStatus.FOUND
        return Answer(redirect(status, started.location, cookies), "started", started.install)

    def _continue(self, needed: ConsentNeeded, request: Request) -> Answer:
        from zendesk_oauth.web.pages.continue_form import continue_page  # noqa: PLC0415 - browsers navigate

        page = continue_page(self.page_settings, needed.invitation, request.cookies, self.entropy)
        return Answer(page, "continue_shown")

    def _form(self, needed: SubdomainNeeded, refused: SubdomainRefusedError | None, typed: str) -> Answer:
        from zendesk_oauth.web.pages.form import form_page  # noqa: PLC0415 - most starts never show it

        outcome = "form_shown" if refused is None else "subdomain_refused"
        kept = "" if isinstance(refused, SubdomainMissingError) else typed.strip(_WHITE_SPACE)
        page = form_page(self.page_settings, self.start_url, needed, refused, kept)
        return Answer(page, outcome, error=refused)


def _is_continued(request: Request, unverified_invitation: str) -> bool:
    """Whether it is the POST of our Continue button. Raises ContinueRejectedError where its proof does not hold."""
    from zendesk_oauth.web.pages.continue_form import is_proven, posted_proof  # noqa: PLC0415 - as above

    proof = posted_proof(request)
    if proof is not None and not is_proven(proof, unverified_invitation, request.cookies):
        raise ContinueRejectedError("no proof of this browser for this invitation")
    return proof is not None


def _subdomain(unverified_text: str | None) -> tuple[Subdomain | None, SubdomainRefusedError | None]:
    """Return the subdomain, or why it is none; neither where the query has no such parameter."""
    if unverified_text is None:
        return None, None
    try:
        if unverified_text.strip(_WHITE_SPACE).lower() in _PLACEHOLDERS:
            raise SubdomainMissingError("a placeholder")
        return parse_subdomain(unverified_text), None
    except SubdomainRefusedError as error:
        return None, error
