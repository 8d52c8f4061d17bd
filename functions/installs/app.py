"""POST /invitations and /installs/{handle}/confirm: for the company's own backend."""

from zendesk_oauth.bootstrap.installs import build

_answer = build()


def handler(event: object, context: object) -> dict[str, object]:
    return _answer(event, context)
