"""Spends refresh tokens, for workers who ask and for the idle; ends connections; nobody else may."""

from zendesk_oauth.bootstrap.refresh import build
from zendesk_oauth.bootstrap.refresh_on_event import LambdaContext

_answer = build()


def handler(event: object, context: LambdaContext) -> dict[str, object]:
    return _answer(event, context)
