"""The form that asks for the subdomain. It works without a script, and keeps what was typed where that is harmless."""

import re
from http import HTTPStatus

from zendesk_oauth.errors import SubdomainRefusedError
from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.services.start_install import SubdomainNeeded
from zendesk_oauth.web.pages.template import Html, Page, fill, page_response
from zendesk_oauth.web.response import Response
from zendesk_oauth.web.statuses import status_of

_KEPT = re.compile(r"[A-Za-z0-9 ._:/@-]{1,128}")
"""What is shown again: names, host names, addresses. None of it is markup, script or a text direction."""
_UNMARKED = Html('aria-describedby="subdomain-hint"')
_INVALID = Html('aria-describedby="subdomain-error subdomain-hint" aria-invalid="true"')


def form_page(
    settings: PageSettings,
    start_url: str,
    needed: SubdomainNeeded,
    refused: SubdomainRefusedError | None,
    unverified_typed: str = "",
) -> Response:
    """Return the form, with the error beside the field where a subdomain was refused, and what was typed in it."""
    error = fill("field_error.html", message=refused.public_message) if refused else Html("")
    content = fill(
        "form.html",
        company=settings.company_name,
        action=start_url,
        hidden=_hidden_fields(needed),
        error=error,
        field_state=_INVALID if refused else _UNMARKED,
        typed=unverified_typed if _KEPT.fullmatch(unverified_typed) else "",
    )
    page = Page(
        status=status_of(type(refused)) if refused else HTTPStatus.OK,
        tone="form",
        title="Connect Zendesk" if refused is None else "Error: Connect Zendesk",
        content=content,
        has_form=True,
    )
    return page_response(page, settings)


def _hidden_fields(needed: SubdomainNeeded) -> Html:
    """Return what the form takes along: checked values only."""
    invitation = needed.invitation.text if needed.invitation else None
    fields = {"grant": needed.grant, "return_to": needed.return_to, "invitation": invitation}
    return Html(
        "".join(fill("hidden.html", name=name, value=value) for name, value in fields.items() if value)
    )
