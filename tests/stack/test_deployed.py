"""The deployed template as a whole: the demo's own script, and what only a deployment can show."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import requests

from local.demo.scene import Scene
from local.roles import changed_role
from local.stack import CONFIRMED, OPEN, LocalStack

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def test_every_step_of_the_demo_is_as_expected(demo: tuple[dict[str, list[str]], str]) -> None:
    """Through the deployed API, functions, roles, tables and key, every step of the script comes out right."""
    unexpected, _ = demo
    assert unexpected == {}


def test_the_demo_prints_no_secret(stack: LocalStack, demo: tuple[dict[str, list[str]], str]) -> None:
    """Of all codes, verifiers, states, tokens and secrets that went to Zendesk or came from it, none is printed."""
    _, printed = demo
    seen = stack.zendesk.seen
    raw = [post.raw or {} for post in seen.token_posts] + [page.raw or {} for page in seen.authorizations]
    names = ("code", "code_verifier", "client_secret", "state", "code_challenge", "refresh_token")
    secrets = {fields[name] for fields in raw for name in names if name in fields}
    pairs = stack.zendesk.tokens.all()
    secrets |= {token for pair in pairs for token in (pair.access_token, pair.refresh_token)}
    assert len(secrets) > 40
    assert [secret for secret in secrets if secret in printed] == []


def test_our_headers_come_through_the_gateway(open_mode: Scene) -> None:
    """The page that a browser gets has the headers that the function set, also where the method is wrong."""
    for method, status in (("GET", HTTPStatus.OK), ("POST", HTTPStatus.METHOD_NOT_ALLOWED)):
        answer = requests.request(method, open_mode.start_url(), timeout=30)
        assert answer.status_code == status
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_both_stacks_say_where_they_are(stack: LocalStack) -> None:
    """The outputs name the address of the proxy, which is the redirect URI at the stand-in, byte for byte."""
    for mode in (OPEN, CONFIRMED):
        outputs = stack.deployments[mode].outputs
        assert outputs["RedirectUri"] == f"{stack.deployments[mode].base_url}/oauth/callback"
        assert outputs["RedirectUri"] in stack.zendesk.settings.redirect_uris


def test_a_role_is_enforced(stack: LocalStack, open_mode: Scene) -> None:
    """Without the one write in its role, start can begin nothing: so each call that works is one that a role allows."""

    def forbid_writing(statements: Mapping[str, dict[str, Any]]) -> None:
        statements["BeginInstalls"]["Action"] = ["dynamodb:GetItem"]

    start_url = open_mode.start_url(subdomain="acme")
    with changed_role(stack.emulator, open_mode.deployment, "start", forbid_writing):
        assert open_mode.browser().get(start_url).status >= HTTPStatus.INTERNAL_SERVER_ERROR
    assert open_mode.browser().get(start_url).status == HTTPStatus.FOUND


def test_the_encryption_context_in_a_role_is_enforced(stack: LocalStack, open_mode: Scene) -> None:
    """A role for another stage's context gets no data key, and then no code is spent at Zendesk."""

    def name_another_stage(statements: Mapping[str, dict[str, Any]]) -> None:
        statements["SealTokens"]["Condition"]["StringEquals"]["kms:EncryptionContext:stage"] = "prod"

    with changed_role(stack.emulator, open_mode.deployment, "callback", name_another_stage):
        answer = open_mode.connect(open_mode.browser(), "tyrell")
        assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert open_mode.posts("tyrell") == 0
    assert [row["reason"] for row in open_mode.rows.installs() if row["subdomain"] == "tyrell"] == [
        "key_unavailable"
    ]
    assert open_mode.connect(open_mode.browser(), "tyrell").status == HTTPStatus.OK
