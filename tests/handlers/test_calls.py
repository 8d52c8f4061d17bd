"""The calls that each function makes to AWS, counted exactly: one more is seen."""

from collections import Counter
from collections.abc import Callable

import pytest
from botocore.client import BaseClient

from local.sam import example_installs as examples
from local.zendesk.standin import StandIn
from tests.handlers.aws import Aws
from tests.handlers.codes import with_fresh_code
from tests.handlers.gateway import Handler
from tests.handlers.payloads import load_event


class Calls(Counter[str]):
    """How often each operation was asked for."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Count what any client asks for from here on."""
    counted = Calls()
    ask = BaseClient._make_api_call  # type: ignore[attr-defined]  # botocore's own seam, which its stubs leave out

    def count(self: BaseClient, operation: str, arguments: object) -> object:
        counted[operation] += 1
        return ask(self, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", count)
    return counted


def test_start_makes_one_write(aws: Aws, build: Callable[..., Handler], calls: Calls) -> None:  # noqa: ARG001 - seeded
    """An install begins with one conditional write."""
    build("start")(load_event("start/acme"), None)
    assert calls == {"PutItem": 1}


def test_an_invited_start_makes_one_write(aws: Aws, build: Callable[..., Handler], calls: Calls) -> None:  # noqa: ARG001
    """An invitation is pressed with one conditional update."""
    build("start", START_MODE="confirmed")(load_event("start/invitation.confirmed"), None)
    assert calls == {"UpdateItem": 1}


@pytest.mark.parametrize("event", ["no-subdomain", "bad-subdomain", "unknown-grant", "head", "prefetch"])
def test_what_starts_nothing_asks_nothing(
    aws: Aws,  # noqa: ARG001 - seeded
    build: Callable[..., Handler],
    calls: Calls,
    event: str,
) -> None:
    """Everything is checked before anything is written."""
    build("start")(load_event(f"start/{event}"), None)
    assert calls == {}


def test_deny_makes_one_write(aws: Aws, build: Callable[..., Handler], calls: Calls) -> None:  # noqa: ARG001 - seeded
    """A denial is one write, and reads no secret."""
    build("callback")(load_event("callback/denied"), None)
    assert calls == {"UpdateItem": 1}


@pytest.mark.parametrize(
    "event", ["no-cookie", "code-and-error", "repeated-code", "post", "denied-without-state"]
)
def test_what_proves_nothing_asks_nothing(
    aws: Aws,  # noqa: ARG001 - seeded
    build: Callable[..., Handler],
    calls: Calls,
    event: str,
) -> None:
    """Without a well-formed answer and this browser's cookie no store is asked."""
    build("callback")(load_event(f"callback/{event}"), None)
    assert calls == {}


def test_allow_makes_its_calls(
    aws: Aws, zendesk: StandIn, build: Callable[..., Handler], calls: Calls
) -> None:
    """One write, two data keys, one transaction, and the secret only the first time in a container."""
    handler = build("callback", COMPANY_NAME="A container of its own")
    handler(with_fresh_code(load_event("callback/allowed"), zendesk), None)
    assert calls == {"UpdateItem": 1, "GenerateDataKey": 2, "GetSecretValue": 1, "TransactWriteItems": 1}

    calls.clear()
    aws.clear()
    examples.seed(aws.installs)
    calls.clear()
    handler(with_fresh_code(load_event("callback/allowed"), zendesk), None)
    assert calls == {"UpdateItem": 1, "GenerateDataKey": 2, "TransactWriteItems": 1}


def test_a_failed_exchange_makes_one_write_more(
    aws: Aws,  # noqa: ARG001 - seeded
    zendesk: StandIn,  # noqa: ARG001 - it knows no such code
    build: Callable[..., Handler],
    calls: Calls,
) -> None:
    """A code that Zendesk refuses ends in a second write, and in no transaction."""
    handler = build("callback", COMPANY_NAME="Another container of its own")
    handler(load_event("callback/allowed"), None)
    assert calls == {"UpdateItem": 2, "GenerateDataKey": 2, "GetSecretValue": 1}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("invite", {"PutItem": 1}),
        ("invite-malformed", {}),
        ("confirm", {"GetItem": 1, "TransactWriteItems": 1}),
        ("confirm-stranger", {"GetItem": 1}),
    ],
)
def test_installs_makes_its_calls(
    aws: Aws,  # noqa: ARG001 - seeded
    build: Callable[..., Handler],
    calls: Calls,
    event: str,
    expected: dict[str, int],
) -> None:
    """An invitation is one write, a confirmation one read and one transaction, a stranger's one read."""
    build("installs", START_MODE="confirmed")(load_event(f"installs/{event}.confirmed"), None)
    assert calls == expected
