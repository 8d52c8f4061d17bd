"""Tells the company's other systems what has become of installs and connections."""

from zendesk_oauth.bootstrap.publish import build
from zendesk_oauth.bootstrap.publish_on_event import LambdaContext

_answer = build()


def handler(event: object, context: LambdaContext) -> dict[str, object]:
    return _answer(event, context)
