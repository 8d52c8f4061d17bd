"""GET and DELETE below /connections: lists, shows and ends connections, and gives access tokens over HTTP."""

from zendesk_oauth.bootstrap.connections import build

_answer = build()


def handler(event: object, context: object) -> dict[str, object]:
    return _answer(event, context)
