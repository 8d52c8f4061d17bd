"""A deployment on loopback, and what types a command there."""

from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from tests.cli.aws import LoopbackAws, running_aws

type Type = Callable[..., Result]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackAws]:
    """Give an account to which the usual AWS settings lead."""
    for name in ("AWS_REGION", "AWS_PROFILE", "ZENDESK_OAUTH_STACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    with running_aws() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.address)
        yield running


@pytest.fixture
def typed() -> Type:
    """Return what types a command, in a wide terminal."""
    runner = CliRunner(env={"COLUMNS": "200"})
    return lambda *words, **how: runner.invoke(app, [str(word) for word in words], **how)
