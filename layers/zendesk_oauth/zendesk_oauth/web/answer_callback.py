"""GET /oauth/callback: what has become of the install, as a page or on the way back to where it began."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.services import complete_install
from zendesk_oauth.services.complete_install import Completion, Refused
from zendesk_oauth.web.callback_query import callback_parameters, is_denial_without_state, parse_callback
from zendesk_oauth.web.edge import Answer
from zendesk_oauth.web.request import Request
from zendesk_oauth.web.response import Response, redirect

if TYPE_CHECKING:
    from zendesk_oauth.web.pages.outcome import Ways

_ENDED = frozenset({InstallStatus.DENIED, InstallStatus.FAILED, InstallStatus.ABANDONED})


class AnswerCallback:
    """Asks the use case, and shows the outcome: the same at each opening of the same address."""

    def __init__(
        self,
        complete_install: Callable[[complete_install.Callback], Completion],
        page_settings: PageSettings,
        endpoints: Endpoints,
    ) -> None:
        self.complete_install = complete_install
        self.page_settings = page_settings
        self.endpoints = endpoints

    def __call__(self, request: Request) -> Answer:
        """Return the answer. Raises a CallbackError, a MalformedRequestError or a StoreError."""
        query = callback_parameters(request)
        if is_denial_without_state(query):
            return Answer(self._unproven_denial(), "denied_without_state")
        callback = parse_callback(query, request.cookies, self.endpoints)
        completion = self.complete_install(callback)
        server_error = callback.answer.server_error if isinstance(callback.answer, Refused) else None
        return Answer(
            self._shown(completion),
            completion.install.status.value,
            completion.install,
            repeated=completion.replayed,
            subject={"server_error": server_error} if server_error else {},
        )

    def _unproven_denial(self) -> Response:
        """Return the denied page of no install in particular.

        It is a 200: the person said Deny and is told that nothing was connected, which is true of anybody who
        opens it. Nothing is consumed, since nothing proves whose install it was: that one ends by its time limit.
        """
        from zendesk_oauth.web.pages.outcome import unproven_denial_page  # noqa: PLC0415 - as below

        return unproven_denial_page(self.page_settings)

    def _shown(self, completion: Completion) -> Response:
        install = completion.install
        if completion.handle is not None and install.return_to is not None:
            return redirect(HTTPStatus.SEE_OTHER, _extended(install.return_to, handle=completion.handle.text))
        if install.status is InstallStatus.CONNECTED and install.return_to is not None:
            clean_url = _extended(install.return_to, result=install.status.value, install=install.install_id)
            return redirect(HTTPStatus.SEE_OTHER, clean_url)
        from zendesk_oauth.web.pages.outcome import outcome_page  # noqa: PLC0415 - a redirect needs no templates

        return outcome_page(self.page_settings, install, self._ways(install))

    def _ways(self, install: Install) -> "Ways":
        """Return where to go on, from the record alone.

        An invitation works once, so its bearer goes back; an admin whom the bearer asks begins at the company's page.
        """
        from zendesk_oauth.web.pages.outcome import Ways  # noqa: PLC0415 - as above

        if install.awaits_confirmation:
            return Ways(admin_url=self.page_settings.site_url, back_url=_back_url(install))
        asked = {"grant": install.grant}
        returning = {"return_to": install.return_to} if install.return_to else {}
        return Ways(
            retry_url=_extended(self.endpoints.start, subdomain=install.account, **asked, **returning),
            form_url=_extended(self.endpoints.start, **asked, **returning),
            admin_url=_extended(self.endpoints.start, subdomain=install.account, **asked),
            back_url=_back_url(install),
        )


def _back_url(install: Install) -> str | None:
    if install.return_to is None or install.status not in _ENDED:
        return None
    return _extended(install.return_to, result=install.status.value)


def _extended(url: str, **parameters: str) -> str:
    """Return the URL with parameters added to its query; an address to return to has no fragment."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"
