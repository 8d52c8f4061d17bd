"""GET /oauth/callback: what Zendesk's redirect says becomes the install's outcome."""

from zendesk_oauth.bootstrap.callback import build

_answer = build()


def handler(event: object, context: object) -> dict[str, object]:
    return _answer(event, context)
