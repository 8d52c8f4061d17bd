"""A deployed stack as the operator's command and `make verify-aws` meet it: where it is, and who asks."""

from typing import Any, cast

import pytest
from botocore.exceptions import NoCredentialsError
from botocore.session import Session

from deployed.account import Account
from deployed.api import Api
from deployed.aws_settings import RegionMissingError
from deployed.stack import DeployedStack

STACK = DeployedStack(
    {"ApiId": "abc123"}, {"Application": "zendesk-oauth", "Stage": "prod", "WorkerGrant": "default"}
)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the settings of this machine, but for the credentials of every test."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


class Sent:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    def __call__(self, request: Any) -> Any:
        """Take a request, and answer nothing."""
        self.requests.append(request)


def test_the_usual_settings_say_where(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_REGION goes before AWS_DEFAULT_REGION, as everywhere; without either nothing is begun."""
    with pytest.raises(RegionMissingError, match="AWS_REGION names one"):
        Account.here()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert Account.here().region == "eu-west-1"
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert Account.here().region == "eu-central-1"


def test_whoever_runs_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the credentials of the usual settings, or not at all."""
    identity = Account("eu-west-1").whoever_runs_this()
    assert identity.credentials
    assert identity.credentials.get_frozen_credentials().access_key == "testing"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(NoCredentialsError):
        Account("eu-west-1", Session()).whoever_runs_this()


def test_an_emulator_is_asked_at_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of AWS is at AWS_ENDPOINT_URL then, and the API is told by the Host that is signed."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/")
    account = Account.here()
    api = Api.of(STACK, account)
    assert (api.address, api.host) == ("http://127.0.0.1:4566", "abc123.execute-api.localhost:4566")
    assert account.client("lambda").meta.endpoint_url == "http://127.0.0.1:4566/"


@pytest.mark.parametrize(
    ("domain", "address"),
    [
        ({}, "https://abc123.execute-api.eu-central-1.amazonaws.com"),
        ({"DomainName": "connect.example.com"}, "https://connect.example.com"),
    ],
)
def test_the_api_is_asked_where_it_answers(domain: dict[str, str], address: str) -> None:
    """A custom domain turns the API's own address off, so it is the one to ask."""
    api = Api.of(DeployedStack(STACK.outputs, domain), Account("eu-central-1"))
    assert (api.address, api.host) == (address, None)


def test_a_body_is_signed_with_its_request() -> None:
    """As JSON, whose type is sent along."""
    sent = Sent()
    api = Api("https://127.0.0.1:1", "eu-central-1", send=sent)
    api.request("POST", "/invitations", Account("eu-central-1").whoever_runs_this(), {"user": "user-17"})
    (request,) = sent.requests
    assert (request.method, request.url) == ("POST", "https://127.0.0.1:1/invitations")
    assert request.body == b'{"user": "user-17"}'
    assert request.headers["Content-Type"] == "application/json"
    assert "SignedHeaders=content-type;host;x-amz-date" in str(request.headers["Authorization"])


class Describing:
    """CloudFormation, with one stack."""

    def __init__(self, **said: Any) -> None:
        self.said = said

    def describe_stacks(self, **named: str) -> Any:
        """Return the stack that is named."""
        assert named == {"StackName": "mine"}
        return {"Stacks": [self.said]}


def test_a_stack_is_its_outputs_and_parameters() -> None:
    """By name; a stack that never came to its end may have neither."""
    stack = DeployedStack.read(
        Describing(
            Outputs=[{"OutputKey": "ApiId", "OutputValue": "abc"}],
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in {"Application": "a", "Stage": "b", "WorkerGrant": "c"}.items()
            ],
            StackStatus="CREATE_COMPLETE",
        ),
        "mine",
    )
    assert (stack.outputs, stack.grant, stack.status) == ({"ApiId": "abc"}, "c", "CREATE_COMPLETE")
    assert stack.function("refresh") == "a-b-refresh"
    assert cast("object", DeployedStack.read(Describing(), "mine")) == DeployedStack({}, {}, "")
