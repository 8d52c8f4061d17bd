"""Every minute: revokes tokens that must not live on."""

from zendesk_oauth.bootstrap.revoke import LambdaContext, build

_answer = build()


def handler(event: object, context: LambdaContext) -> dict[str, int]:
    return _answer(event, context)
