"""The API's webhooks, as far as an integration makes one for itself and asks for its signing secret.

The rule: a webhook that could not be subscribed to events at Zendesk is not made here either.
"""

from typing import Any

from flask import Blueprint, Response, request

from local.zendesk.accounts import Account
from local.zendesk.serving import ApiError, answered, not_found, serve
from local.zendesk.standin import StandIn
from local.zendesk.webhooks import Webhook

_WANTED = {"status": "active", "http_method": "POST", "request_format": "json"}
"""What a webhook that is subscribed to events has to say."""


def add_webhook_routes(routes: Blueprint, standin: StandIn) -> None:
    """Add what there is of webhooks."""

    @routes.post("/webhooks")
    def create(subdomain: str) -> Response:
        return serve(
            standin, "webhooks", "webhooks:write", subdomain, lambda account, _: _create(standin, account)
        )

    @routes.get("/webhooks/<webhook_id>/signing_secret")
    def show_secret(subdomain: str, webhook_id: str) -> Response:
        return serve(
            standin,
            "webhooks",
            "webhooks:read",
            subdomain,
            lambda account, _: _secret_of(standin.webhooks.find(account, webhook_id)),
        )


def _create(standin: StandIn, account: Account) -> Response:
    sent = _sent()
    try:
        webhook = standin.webhooks.add(account, sent["endpoint"], *sent["subscriptions"])
    except ValueError as error:
        raise _refused(str(error)) from error
    shown = {name: sent[name] for name in (*_WANTED, "name", "endpoint", "subscriptions")}
    return answered({"webhook": {"id": webhook.id, **shown}}, 201)


def _sent() -> dict[str, Any]:
    body = request.get_json(silent=True)
    sent = body.get("webhook") if isinstance(body, dict) else None
    if not isinstance(sent, dict) or not sent.keys() >= {"name", "endpoint", "subscriptions", *_WANTED}:
        raise _refused("a field is missing")
    if any(sent[name] != value for name, value in _WANTED.items()):
        raise _refused(f"only {_WANTED} can be subscribed to events")
    return sent


def _refused(detail: str) -> ApiError:
    return ApiError(400, {"errors": [{"code": "InvalidWebhook", "detail": detail}]})


def _secret_of(webhook: Webhook | None) -> Response:
    if webhook is None:
        raise not_found()
    return answered({"signing_secret": {"algorithm": "SHA256", "secret": webhook.signing_secret}})
