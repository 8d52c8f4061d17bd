"""Fills a template file: every value is escaped, but for what this module itself has filled before.

Read and parsed when first shown: most requests are answered with a redirect and show no page.
"""

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.web.response import CLOSED_CSP, CSP, Response

_FOLDER = Path(__file__).parent
NO_FORM = "form-action 'none'"


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page's own part; `tone` chooses its colour and mark.

    `has_form` leaves `form-action` out of the policy: Chromium applies it to the redirects that follow a form,
    to Zendesk and to whatever Zendesk then redirects to. The content does not print: it can hold an invitation.
    """

    status: int
    tone: str
    title: str
    content: Html = field(repr=False)
    reference: str = ""
    has_form: bool = False


def fill(template: str, /, **values: str) -> Html:
    """Return the template with its values in place, escaped unless they are `Html`."""
    escaped = {key: value if isinstance(value, Html) else escape(value) for key, value in values.items()}
    return Html(_template(template).substitute(escaped))


def support_url(settings: PageSettings) -> str:
    """Return where help is to be had, or nothing where the deployment names no address."""
    address = settings.support_address
    return f"mailto:{address}" if "@" in address and not address.startswith("https://") else address


def page_response(page: Page, settings: PageSettings) -> Response:
    """Return the whole page, with a policy that allows its own stylesheet and nothing else."""
    html = fill(
        "layout.html",
        title=page.title,
        company=settings.company_name,
        style=_style(),
        tone=page.tone,
        mark=_mark(page.tone),
        content=page.content,
        support=_support(page, settings),
    )
    policy = f"{CLOSED_CSP}; style-src '{_style_hash()}'"
    return Response(
        page.status,
        html,
        {
            "Content-Type": "text/html; charset=utf-8",
            CSP: policy if page.has_form else f"{policy}; {NO_FORM}",
        },
    )


def _support(page: Page, settings: PageSettings) -> Html:
    """Return where to ask for help, and the code to name there: the code also where no address is set."""
    url = support_url(settings)
    if not url and not page.reference:
        return Html("")
    code = fill("reference.html", reference=page.reference) if page.reference else Html("")
    help_ = fill("help.html", url=url, company=settings.company_name) if url else Html("")
    return fill("support.html", help=help_, code=code)


@cache
def _template(name: str) -> Template:
    return Template((_FOLDER / name).read_text(encoding="utf-8"))


@cache
def _style() -> Html:
    return Html((_FOLDER / "style.css").read_text(encoding="utf-8"))


@cache
def _style_hash() -> str:
    return f"sha256-{b64encode(hashlib.sha256(_style().encode()).digest()).decode()}"


@cache
def _mark(tone: str) -> Html:
    return Html((_FOLDER / "marks" / f"{tone}.svg").read_text(encoding="utf-8"))
