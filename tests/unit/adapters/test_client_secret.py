import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber
from hypothesis import HealthCheck, given, settings

from tests.doubles.scripted import ScriptedClock
from tests.unit.models.test_text_damage import ANY_TEXT
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


CANARY = "canary-of-a-secret"


@pytest.mark.parametrize(
    "text",
    [
        CANARY,
        f" {CANARY}\n",
        f"{CANARY}\r\n",
        f"\ufeff{CANARY}\r\n",
        f"\u00a0{CANARY}\u00a0",
        f'"{CANARY}"',
        f'\ufeff "{CANARY}\\r\\n"\r\n',
        f'{{"client_secret": "{CANARY}"}}',
        f'{{"client_secret": " {CANARY} ", "other": 1}}',
        f'\ufeff{{"client_secret":\r\n"\ufeff{CANARY}"}}\r\n',
        f'"{{\\"client_secret\\": \\"{CANARY}\\"}}"',
    ],
    ids=range(11),
)
def test_r41_a_secret_is_a_text_a_json_string_or_a_member(
    client_secret: SecretsManagerClientSecret, secrets_stub: Stubber, text: str
) -> None:
    """R41: whichever way it was made, and with what a paste, Notepad or a shell's quoting brings along."""
    holding(secrets_stub, SecretString=text)
    assert client_secret().reveal() == CANARY
    assert CANARY not in repr(vars(client_secret))


def test_case_secret_bom_json(client_secret: SecretsManagerClientSecret, secrets_stub: Stubber) -> None:
    """R41: a JSON object that was saved with a byte-order mark is the object."""
    saved = b'\xef\xbb\xbf{"client_secret": "stand-in-client-secret"}'
    holding(secrets_stub, SecretString=saved.decode())
    assert client_secret().reveal() == "stand-in-client-secret"


def test_case_secret_json_string_txt(
    client_secret: SecretsManagerClientSecret, secrets_stub: Stubber
) -> None:
    """R41: a JSON string is the text that it holds, without its quotes."""
    holding(secrets_stub, SecretString='"stand-in-client-secret"')
    assert client_secret().reveal() == "stand-in-client-secret"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ({"SecretString": "  \n"}, "is empty"),
        ({"SecretString": "\ufeff"}, "is empty"),
        ({"SecretString": '""'}, "is empty"),
        ({"SecretString": '{"client_secret": ""}'}, "is empty"),
        ({"SecretString": f"{{{CANARY}"}, "is neither a text nor a JSON object"),
        ({"SecretString": f'"{CANARY}'}, "is neither a text nor a JSON object"),
        ({"SecretString": f'{{"{CANARY}": 1}}'}, "is neither a text nor a JSON object"),
        ({"SecretString": f'{{"client_secret": ["{CANARY}"]}}'}, "is neither a text nor a JSON object"),
        ({"SecretString": '{"a":' * 20_000}, "is neither a text nor a JSON object"),
        ({"SecretBinary": CANARY.encode("utf-16")}, "is binary; store it as a text"),
        ({"SecretString": f"'{CANARY}'"}, "is in quotes"),
        ({"SecretString": f"'{CANARY}"}, "begins with a quotation mark"),
        ({"SecretString": f'="{CANARY}"'}, "ends with a quotation mark"),
        ({"SecretString": f'{{"client_secret": "\'{CANARY}\'"}}'}, "is in quotes"),
        ({"SecretString": f"\u201c{CANARY}\u201d"}, "begins with U+201C LEFT DOUBLE QUOTATION MARK"),
        ({"SecretString": "\u00ff\u00fe" + "\0".join(CANARY)}, "begins with U+00FF"),
        ({"SecretString": "\0".join(CANARY)}, "has a NUL character, as in UTF-16"),
        ({"SecretString": f"{CANARY}\r\n{CANARY}"}, "has a carriage return"),
        ({"SecretString": f"{CANARY}\u200b"}, "ends with U+200B ZERO WIDTH SPACE"),
        ({"SecretString": f"a\ufeff{CANARY}"}, "has a byte-order mark (character 2)"),
        ({"SecretString": f'"{CANARY}\\ud800"'}, "ends with a byte that is no text"),
        ({"SecretString": f"{CANARY}\u00e9"}, "ends with U+00E9"),
    ],
    ids=range(22),
)
def test_r42_an_empty_or_damaged_secret_is_a_fault_of_the_set_up(
    client_secret: SecretsManagerClientSecret, secrets_stub: Stubber, content: dict[str, Any], cause: str
) -> None:
    """R42: nothing outside RFC 6749's VSCHAR is sent to Zendesk; the cause is named, and nothing of the content is."""
    holding(secrets_stub, **content)
    with pytest.raises(ConfigurationError) as raised:
        client_secret()
    assert raised.value.problems[0].startswith(f"the secret of CLIENT_SECRET_ARN {cause}")
    assert CANARY not in str(raised.value)
    assert raised.value.__context__ is None


@given(
    text=ANY_TEXT | ANY_TEXT.map(json.dumps) | ANY_TEXT.map(lambda text: json.dumps({"client_secret": text}))
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_r42_whatever_the_text_a_secret_is_vschar_or_a_fault_of_the_set_up(
    secrets_client: "SecretsManagerClient", clock: ScriptedClock, text: str
) -> None:
    """R42: no text gives a secret outside RFC 6749's grammar, and none raises anything outside the tree."""
    client_secret = SecretsManagerClientSecret(secrets_client, ARN, clock)
    with Stubber(secrets_client) as stub:
        holding(stub, SecretString=text or " ")
        try:
            secret = client_secret().reveal()
        except ConfigurationError as error:
            assert error.problems  # noqa: PT017 - both ends are good, and this one names why
        else:
            assert re.fullmatch(r"[\x20-\x7e]+", secret)


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
