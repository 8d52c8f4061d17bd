"""GET /oauth/start: begins an install, or asks which account it is for."""

from zendesk_oauth.bootstrap.start import build

_answer = build()


def handler(event: object, context: object) -> dict[str, object]:
    return _answer(event, context)
