from datetime import timedelta

import pytest

from zendesk_oauth.errors import ConfigurationError
from zendesk_oauth.flow_settings import FlowSettings, PageSettings, parse_grants
from zendesk_oauth.models.install import StartMode
from zendesk_oauth.models.tokens import TokenLifetimes
from zendesk_oauth.settings import VARIABLES, SealSettings, Variables, token_lifetimes, zendesk_base_url

GOOD = {
    "STAGE": "prod",
    "APPLICATION": "zendesk-oauth",
    "INSTALLS_TABLE": "installs",
    "CONNECTIONS_TABLE": "connections",
    "ZENDESK_CLIENT_ID": "zdg-example",
    "ZENDESK_BASE_URL": "https://{subdomain}.zendesk.com",
    "PUBLIC_BASE_URL": "https://connect.example.com",
    "GRANTS": "default=users:read tickets:read;reporting=read",
    "START_MODE": "confirmed",
    "ALLOWED_RETURN_ORIGINS": "https://app.example.com https://eu.example.com:8443",
    "SITE_URL": "https://www.example.com/zendesk",
    "REQUIRED_ROLES": "admin owner",
    "COMPANY_NAME": "Example",
    "SUPPORT_ADDRESS": "help@example.com",
    "TOKEN_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/1",
    "CLIENT_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s",
    "ACCESS_TOKEN_SECONDS": "172800",
    "REFRESH_TOKEN_SECONDS": "7776000",
}
LOCAL = GOOD | {"STAGE": "local"}
LOCAL_ZENDESK = "http://127.0.0.1:8080/{subdomain}"


def read(environ: dict[str, str], function: str = "callback") -> Variables:
    """Return the variables of a function over an environment of our own, with everything read once."""
    variables = Variables(function, environ)
    PageSettings.read(variables, FlowSettings.read(variables))
    SealSettings.read(variables)
    token_lifetimes(variables)
    return variables


def problems(**changes: str) -> list[str]:
    """Return what is wrong with a good environment after these changes."""
    return read(GOOD | changes).problems


def test_a_good_environment_is_read() -> None:
    """Every value arrives typed, and nothing is wrong."""
    variables = Variables("callback", GOOD)
    flow = variables.finish(FlowSettings.read(variables))
    assert flow.mode is StartMode.CONFIRMED
    assert flow.endpoints.public_base_url == "https://connect.example.com"
    assert {name: grant.scopes for name, grant in flow.grants.items()} == {
        "default": ("users:read", "tickets:read"),
        "reporting": ("read",),
    }
    assert flow.return_policy.allowed_origins == {"https://app.example.com", "https://eu.example.com:8443"}
    assert flow.return_policy.site_url == "https://www.example.com/zendesk"
    assert flow.required_roles == {"admin", "owner"}
    assert flow.installs_table == "installs"
    assert PageSettings.read(variables, flow) == PageSettings(
        "Example", "help@example.com", None, "https://www.example.com/zendesk"
    )
    assert SealSettings.read(variables) == SealSettings("zendesk-oauth", "prod", GOOD["TOKEN_KEY_ARN"])
    assert token_lifetimes(variables) == TokenLifetimes(timedelta(hours=48), timedelta(days=90))
    assert variables.problems == []


def test_all_that_is_wrong_is_named_at_once() -> None:
    """One message for the operator, not one after the other."""
    variables = read({"STAGE": "prod"})
    with pytest.raises(ConfigurationError) as raised:
        variables.finish(None)
    named = {problem.split()[0] for problem in raised.value.problems}
    assert named == {
        "START_MODE",
        "ZENDESK_BASE_URL",
        "PUBLIC_BASE_URL",
        "GRANTS",
        "REQUIRED_ROLES",
        "INSTALLS_TABLE",
        "COMPANY_NAME",
        "SUPPORT_ADDRESS",
        "APPLICATION",
        "TOKEN_KEY_ARN",
        "ACCESS_TOKEN_SECONDS",
        "REFRESH_TOKEN_SECONDS",
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("START_MODE", "openly"),
        ("GRANTS", ""),
        ("GRANTS", "users:read"),
        ("GRANTS", "default="),
        ("GRANTS", "Default=read"),
        ("GRANTS", "a#b=read"),
        ("GRANTS", "default=read;default=write read"),
        ("GRANTS", "default=tickets:read"),
        ("GRANTS", "default=users:admin"),
        ("GRANTS", "default=read;"),
        ("GRANTS", f"{'a' * 33}=read"),
        ("REQUIRED_ROLES", " "),
        ("PUBLIC_BASE_URL", "connect.example.com"),
        ("PUBLIC_BASE_URL", "https://connect.example.com/"),
        ("PUBLIC_BASE_URL", "http://connect.example.com"),
        ("PUBLIC_BASE_URL", "http://127.0.0.1:8080"),
        ("SITE_URL", ""),
        ("SITE_URL", "http://www.example.com"),
        ("SITE_URL", "https://www.example.com/ x"),
        ("ALLOWED_RETURN_ORIGINS", "https://app.example.com/"),
        ("ALLOWED_RETURN_ORIGINS", "https://*.example.com"),
        ("ALLOWED_RETURN_ORIGINS", "http://app.example.com"),
        ("ALLOWED_RETURN_ORIGINS", "*"),
        ("ACCESS_TOKEN_SECONDS", "299"),
        ("ACCESS_TOKEN_SECONDS", "172801"),
        ("ACCESS_TOKEN_SECONDS", "48h"),
        ("ACCESS_TOKEN_SECONDS", "-300"),
        ("REFRESH_TOKEN_SECONDS", "604799"),
        ("REFRESH_TOKEN_SECONDS", "7776001"),
        ("APPLICATION", "Zendesk OAuth"),
        ("STAGE", ""),
        ("SUPPORT_ADDRESS", "call us"),
        ("SUPPORT_ADDRESS", "http://example.com/help"),
        ("SUPPORT_ADDRESS", 'https://example.com/"x'),
        ("SUPPORT_ADDRESS", "javascript:alert(1)"),
        ("COMPANY_NAME", "  "),
        ("INSTALLS_TABLE", ""),
        ("TOKEN_KEY_ARN", ""),
    ],
)
def test_each_mistake_is_named(name: str, text: str) -> None:
    """By the variable's name and in words, and nothing else is blamed."""
    found = problems(**{name: text})
    assert len(found) == 1
    assert found[0].startswith(f"{name} ")


@pytest.mark.parametrize("stage", ["prod", "dev", "locale", "local-2", "LOCAL", "loca"])
def test_only_the_local_stage_may_speak_plain_http(stage: str) -> None:
    """Anywhere else a Zendesk on loopback, or any plain address, is a mistake."""
    plain = {
        "ZENDESK_BASE_URL": LOCAL_ZENDESK,
        "PUBLIC_BASE_URL": "http://localhost:8000",
        "SITE_URL": "http://localhost:8001/app",
        "ALLOWED_RETURN_ORIGINS": "http://localhost:8001",
    }
    named = {problem.split()[0] for problem in problems(**plain, STAGE=stage)} - {"STAGE"}
    assert named == set(plain)
    assert problems(**plain, STAGE="local") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://zendesk.example/{subdomain}",
        "https://{subdomain}.zendesk.com/",
        "https://{subdomain}.evil.com",
        "http://127.0.0.1:8080",
        "http://127.0.0.1/{subdomain}",
        "http://127.0.0.1:8080/{subdomain}/x",
        "http://localhost:8080/{subdomain}",
        "http://10.0.0.1:8080/{subdomain}",
        "http://127.0.0.1:8080@evil.com/{subdomain}",
    ],
)
@pytest.mark.parametrize("stage", ["local", "prod"])
def test_zendesk_is_zendesk(text: str, stage: str) -> None:
    """The client secret goes there: no stage takes another host, and the local one only loopback by number."""
    variables = Variables("callback", GOOD | {"STAGE": stage, "ZENDESK_BASE_URL": text})
    assert zendesk_base_url(variables) == "https://{subdomain}.zendesk.com"
    assert len(variables.problems) == 1


def test_the_local_stage_also_takes_the_real_zendesk() -> None:
    """A developer may try a sandbox account."""
    assert zendesk_base_url(Variables("callback", LOCAL)) == "https://{subdomain}.zendesk.com"


def test_in_open_mode_a_site_is_not_needed() -> None:
    """Then there is simply nothing to come back to but a listed origin."""
    variables = Variables(
        "start", GOOD | {"START_MODE": "open", "SITE_URL": "", "ALLOWED_RETURN_ORIGINS": ""}
    )
    flow = variables.finish(FlowSettings.read(variables))
    assert flow.return_policy.site_url is None
    assert flow.return_policy.allowed_origins == frozenset()


@pytest.mark.parametrize("text", ["help@example.com", "https://example.com/help?from=zendesk"])
def test_support_is_an_address_or_a_page(text: str) -> None:
    """Either can be put behind a link."""
    assert problems(SUPPORT_ADDRESS=text) == []


def test_grants_may_be_written_with_spaces() -> None:
    """A list in a template is broken over lines."""
    assert list(parse_grants("default=users:read ; reporting=read ")) == ["default", "reporting"]


def test_a_function_reads_only_what_it_declares() -> None:
    """Otherwise the template's environment and the code would drift apart."""
    with pytest.raises(KeyError):
        Variables("revoke", GOOD).text("COMPANY_NAME")
    assert VARIABLES.keys() == {
        *("start", "callback", "installs", "revoke", "refresh", "connections", "publish"),
    }


def test_the_environment_is_the_process_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a test gives another."""
    monkeypatch.setenv("INSTALLS_TABLE", " from-the-environment ")
    assert Variables("start").text("INSTALLS_TABLE") == "from-the-environment"
