"""A page that says one thing, and where to go from there."""

from dataclasses import dataclass

from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.web.pages.template import Html, Page, fill, page_response
from zendesk_oauth.web.response import Response

type Steps = tuple[tuple[str, str], ...]
"""Labels and URLs, the first of which stands out."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is said, as title and sentences, and what to do next.

    `link_to_send` is an address that this reader hands on to an admin: it is shown as text, to be copied.
    """

    status: int
    tone: str
    title: str
    text: str
    actions: Steps = ()
    link_to_send: str = ""
    reference: str = ""


def message_page(settings: PageSettings, message: Message) -> Response:
    """Return the message as a page."""
    content = fill(
        "message.html",
        title=message.title,
        text=message.text,
        link=fill("send_link.html", url=message.link_to_send) if message.link_to_send else Html(""),
        actions=_actions(message.actions),
    )
    page = Page(message.status, message.tone, message.title, content, message.reference)
    return page_response(page, settings)


def _actions(actions: Steps) -> Html:
    if not actions:
        return Html("")
    kinds = ["button", *(["link"] * (len(actions) - 1))]
    links = [
        fill("action.html", kind=kind, url=url, label=label)
        for kind, (label, url) in zip(kinds, actions, strict=True)
    ]
    return fill("actions.html", links=Html("".join(links)))
