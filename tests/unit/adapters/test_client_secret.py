from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from tests.doubles.scripted import ScriptedClock
from zendesk_oauth.adapters.client_secret import SecretsManagerClientSecret
from zendesk_oauth.errors import ConfigurationError, SecretUnavailableError

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:zendesk-AbCdEf"


@pytest.fixture
def clock() -> ScriptedClock:
    """Return a clock that moves when told."""
    return ScriptedClock()


@pytest.fixture
def client_secret(secrets_client: "SecretsManagerClient", clock: ScriptedClock) -> SecretsManagerClientSecret:
    """Return the secret of a Secrets Manager whose answers are scripted."""
    return SecretsManagerClientSecret(secrets_client, ARN, clock)


def holding(stub: Stubber, version_stage: str = "AWSCURRENT", **content: Any) -> None:
    """Let Secrets Manager answer with this, for that version."""
    stub.add_response("get_secret_value", content, {"SecretId": ARN, "VersionStage": version_stage})


@pytest.mark.parametrize(
    "text",
    ["canary", " canary\n", '{"client_secret": "canary"}', '{"client_secret": " canary ", "other": 1}'],
)
def test_a_secret_is_a_text_or_a_member(
    client_secret: SecretsManagerClientSecret, secrets_stub: Stubber, text: str
) -> None:
    """Whichever way it was made, and with the spaces that a paste brings along."""
    holding(secrets_stub, SecretString=text)
    assert client_secret().reveal() == "canary"
    assert "canary" not in repr(vars(client_secret))


@pytest.mark.parametrize(
    "content",
    [
        {"SecretString": "  \n"},
        {"SecretString": "{canary"},
        {"SecretString": '{"canary": 1}'},
        {"SecretString": '{"client_secret": ""}'},
        {"SecretString": '{"client_secret": ["canary"]}'},
        {"SecretString": '{"a":' * 20_000},
        {"SecretBinary": b"canary"},
    ],
)
def test_an_empty_or_odd_secret_is_a_fault_of_the_set_up(
    client_secret: SecretsManagerClientSecret, secrets_stub: Stubber, content: dict[str, Any]
) -> None:
    """It is named, and nothing of its content is."""
    holding(secrets_stub, **content)
    with pytest.raises(ConfigurationError) as raised:
        client_secret()
    assert "CLIENT_SECRET_ARN" in raised.value.problems[0]
    assert "canary" not in str(raised.value)
    assert raised.value.__context__ is None


def test_it_is_read_once_in_a_quarter_of_an_hour(
    client_secret: SecretsManagerClientSecret, secrets_stub: Stubber, clock: ScriptedClock
) -> None:
    """One call for many exchanges, and a rotation is seen in time."""
    holding(secrets_stub, SecretString="first")
    assert client_secret().reveal() == "first"
    clock.advance(timedelta(minutes=14, seconds=59))
    assert client_secret().reveal() == "first"
    clock.advance(timedelta(seconds=1))
    holding(secrets_stub, SecretString="second")
    assert client_secret().reveal() == "second"


def test_what_was_forgotten_is_read_anew(
    client_secret: SecretsManagerClientSecret, secrets_stub: Stubber
) -> None:
    """Zendesk did not take the old one."""
    holding(secrets_stub, SecretString="first")
    client_secret()
    client_secret.forget()
    holding(secrets_stub, SecretString="second")
    assert client_secret().reveal() == "second"


@pytest.mark.parametrize(
    "code",
    ["ResourceNotFoundException", "AccessDeniedException", "InvalidRequestException", "DecryptionFailure"],
)
def test_a_missing_or_forbidden_secret_is_a_fault_of_the_set_up(
    client_secret: SecretsManagerClientSecret, secrets_stub: Stubber, code: str
) -> None:
    """The operator is told which it is."""
    secrets_stub.add_client_error("get_secret_value", code, http_status_code=400)
    with pytest.raises(ConfigurationError) as raised:
        client_secret()
    assert code in raised.value.problems[0]


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServiceError", ""])
def test_a_busy_secrets_manager_is_an_outage(
    client_secret: SecretsManagerClientSecret, secrets_stub: Stubber, code: str
) -> None:
    """The person can try again in a minute."""
    secrets_stub.add_client_error("get_secret_value", code, http_status_code=400)
    with pytest.raises(SecretUnavailableError) as raised:
        client_secret()
    assert raised.value.retryable


def test_an_unreachable_secrets_manager_is_an_outage(
    client_secret: SecretsManagerClientSecret,
    secrets_client: "SecretsManagerClient",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The network is not the set-up."""

    def lose(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://secretsmanager.example")

    monkeypatch.setattr(secrets_client, "get_secret_value", lose)
    with pytest.raises(SecretUnavailableError):
        client_secret()


def test_r20_the_version_before_can_be_had(
    client_secret: SecretsManagerClientSecret, secrets_stub: Stubber
) -> None:
    """Beside the current one, in whichever form it was made; it is not taken for the current one afterwards."""
    holding(secrets_stub, SecretString="second")
    holding(secrets_stub, "AWSPREVIOUS", SecretString='{"client_secret": " first "}')
    assert client_secret().reveal() == "second"
    previous = client_secret.previous()
    assert previous is not None
    assert previous.reveal() == "first"
    assert client_secret().reveal() == "second"


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_r20_no_version_before_is_no_error(
    client_secret: SecretsManagerClientSecret, secrets_stub: Stubber, code: str
) -> None:
    """A secret that was never replaced has none, and one that may not be read cannot be used either."""
    secrets_stub.add_client_error("get_secret_value", code, http_status_code=400)
    assert client_secret.previous() is None


def test_r20_an_odd_version_before_is_none(
    client_secret: SecretsManagerClientSecret, secrets_stub: Stubber
) -> None:
    """It could be an empty draft: nothing to send to Zendesk."""
    holding(secrets_stub, "AWSPREVIOUS", SecretString="{")
    assert client_secret.previous() is None


def test_r20_a_busy_secrets_manager_is_told(
    client_secret: SecretsManagerClientSecret, secrets_stub: Stubber
) -> None:
    """Whether there is a version before is not known then."""
    secrets_stub.add_client_error("get_secret_value", "ThrottlingException", http_status_code=400)
    with pytest.raises(SecretUnavailableError):
        client_secret.previous()
