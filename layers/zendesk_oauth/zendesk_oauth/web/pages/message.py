"""A page that says one thing, and where to go from there."""

from dataclasses import dataclass

from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.web.pages.template import Html, Page, fill, page_response
from zendesk_oauth.web.response import Response


@dataclass(frozen=True, slots=True)
class Message:
    """What is said, as title and sentences; `actions` are labels and URLs, the first of which stands out."""

    status: int
    tone: str
    title: str
    text: str
    actions: tuple[tuple[str, str], ...] = ()
    reference: str = ""


def message_page(settings: PageSettings, message: Message) -> Response:
    """Return the message as a page."""
    content = fill("message.html", title=message.title, text=message.text, actions=_actions(message.actions))
    page = Page(message.status, message.tone, message.title, content, message.reference)
    return page_response(page, settings)


def _actions(actions: tuple[tuple[str, str], ...]) -> Html:
    if not actions:
        return Html("")
    kinds = ["button", *(["link"] * (len(actions) - 1))]
    links = [
        fill("action.html", kind=kind, url=url, label=label)
        for kind, (label, url) in zip(kinds, actions, strict=True)
    ]
    return fill("actions.html", links=Html("".join(links)))
