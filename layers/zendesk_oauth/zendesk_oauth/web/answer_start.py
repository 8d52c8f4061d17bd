"""GET /oauth/start: the form where no account is named, else the way to Zendesk."""

from collections.abc import Callable
from http import HTTPStatus

from zendesk_oauth.errors import SubdomainRefusedError
from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.models.subdomain import parse_subdomain
from zendesk_oauth.services.start_install import Started, StartRequest, SubdomainNeeded
from zendesk_oauth.web.cookies import set_cookies
from zendesk_oauth.web.edge import Answer
from zendesk_oauth.web.request import Request
from zendesk_oauth.web.response import redirect


class AnswerStart:
    """Asks the use case, and answers with the form or a redirect."""

    def __init__(
        self,
        start_install: Callable[[StartRequest], Started | SubdomainNeeded],
        page_settings: PageSettings,
        start_url: str,
    ) -> None:
        self.start_install = start_install
        self.page_settings = page_settings
        self.start_url = start_url

    def __call__(self, request: Request) -> Answer:
        """Return the answer. Raises a RequestError or a StoreError."""
        refused: SubdomainRefusedError | None = None
        try:
            start = start_request(request)
        except SubdomainRefusedError as error:
            # The rest has to be checked all the same: only checked values go into the form's hidden fields.
            start, refused = start_request(request, with_subdomain=False), error
        started = self.start_install(start)
        if isinstance(started, SubdomainNeeded):
            return self._form(started, refused)
        cookies = set_cookies(started.install.install_id, started.binding.browser, request.cookies)
        return Answer(redirect(HTTPStatus.FOUND, started.location, cookies), "started", started.install)

    def _form(self, needed: SubdomainNeeded, refused: SubdomainRefusedError | None) -> Answer:
        from zendesk_oauth.web.pages.form import form_page  # noqa: PLC0415 - most starts never show it

        outcome = "form_shown" if refused is None else "subdomain_refused"
        return Answer(form_page(self.page_settings, self.start_url, needed, refused), outcome, error=refused)


def start_request(request: Request, *, with_subdomain: bool = True) -> StartRequest:
    """Return what the query asks for. Raises SubdomainRefusedError."""
    query = request.query
    unverified_subdomain = query.get("subdomain") if with_subdomain else None
    return StartRequest(
        subdomain=None if unverified_subdomain is None else parse_subdomain(unverified_subdomain),
        unverified_grant=query.get("grant"),
        unverified_return_to=query.get("return_to"),
        unverified_invitation=query.get("invitation"),
    )
