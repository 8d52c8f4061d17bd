"""The parameters: what a person is asked for, how it is explained, and what is refused."""

import re
from typing import Any

import pytest

from tests.unit.test_damaged_settings import DAMAGES

REQUIRED = {"ZendeskClientId", "ClientSecretArn", "CompanyName", "SupportAddress"}
ZENDESK = "https://{subdomain}.zendesk.com"
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:zendesk/client-AbC123"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

# Parameter → what it takes, what it refuses.
EXAMPLES: dict[str, tuple[list[str], list[str]]] = {
    "Application": (["zendesk-oauth"], ["", "Zendesk", "a", "a" * 31, "1a", "a/b"]),
    "Stage": (["prod", "local", "dev", "eu-1"], ["", "Prod", "a/b", "a" * 17, "-a"]),
    "ZendeskClientId": (["zdg-acme", "my_app.1", "x"], ["", "two words", "new\nline", "ü", "zdg-acme'", "'"]),
    "ClientSecretArn": ([SECRET], ["", "zendesk/client", KEY, f"{SECRET} "]),
    "SecretKeyArn": (["", KEY], [KEY.replace(":key/", ":alias/"), SECRET]),
    "TablesKeyArn": (["", KEY], [KEY.replace(":key/", ":alias/"), SECRET]),
    "ZendeskBaseUrl": (
        [ZENDESK, "http://127.0.0.1:8080/{subdomain}"],
        [
            "",
            "http://{subdomain}.zendesk.com",
            "https://{subdomain}.zendesk.com/",
            "https://{subdomain}.zendesk.com.evil.example",
            "https://{subdomain}zzendesk.com",
            "http://127.0.0.1.evil.example:80/{subdomain}",
            "http://169.254.169.254:80/{subdomain}",
        ],
    ),
    "Grants": (
        ["default=users:read tickets:read", "default=read;reporting=users:read hc:read"],
        [
            "",
            "default=",
            "=read",
            "default=read;",
            "default= read",
            "default=tickets:admin",
            "Default=read",
            "a#b=read",
        ],
    ),
    "RequiredRoles": (["admin", "admin agent"], ["", "owner", "admin,agent", "admin  agent"]),
    "SiteUrl": (
        ["", "https://app.example.com", "https://app.example.com/zendesk?x=1", "http://localhost:3000/back"],
        [
            "app.example.com",
            "http://app.example.com",
            "https://app.example.com\n",
            "javascript:alert(1)",
            "//evil.example",
        ],
    ),
    "AllowedReturnOrigins": (
        [
            "",
            "https://app.example.com",
            "https://a.example.com https://b.example.com:8443",
            "http://localhost:3000",
        ],
        [
            "https://app.example.com/path",
            "http://app.example.com",
            "https://*.example.com/",
            "a.example.com",
            " ",
        ],
    ),
    "CompanyName": (
        ["Example Ltd", "É", "'t Hart", 'The "Firm"', "株式会社", "a" * 80],
        ["", " Example", "Example ", "a" * 81, "“Example”", "Exam\u200bple", "Exam\u00a0ple"],
    ),
    "SupportAddress": (
        ["help@example.com", "https://example.com/help", "hilfe@müller.example"],
        ["", "help", "http://example.com", "javascript:alert(1)", "a b@example.com", 'https://example.com/"'],
    ),
    "DomainName": (
        ["", "connect.example.com"],
        ["https://connect.example.com", "Connect.example.com", "localhost", "a_b.example.com"],
    ),
    "CertificateArn": (
        ["", "arn:aws:acm:eu-central-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"],
        ["certificate", KEY],
    ),
    "PublicBaseUrl": (
        ["", "https://connect.example.com", "https://connect.example.com:8443", "http://localhost:8000"],
        ["https://connect.example.com/", "https://connect.example.com/a", "http://connect.example.com"],
    ),
    "LocalEndpointUrl": (
        ["", "http://127.0.0.1:4566", "http://host.docker.internal:4566"],
        ["https://dynamodb.eu-central-1.amazonaws.com", "http://127.0.0.1"],
    ),
    "WorkerGrant": (["default", "reporting-2"], ["", "Default", "a#b", "*", "a" * 33, "a b"]),
    "AlarmTopicArn": (["", "arn:aws:sns:eu-central-1:123456789012:alarms"], ["alarms", KEY]),
}


@pytest.fixture(scope="session")
def parameters(template: dict[str, Any]) -> dict[str, Any]:
    """Return the template's parameters by name."""
    found: dict[str, Any] = template["Parameters"]
    return found


def test_every_parameter_says_what_it_is_and_what_it_takes(parameters: dict[str, Any]) -> None:
    """Each has a description, a constraint, and a sentence for whoever breaks the constraint."""
    for name, parameter in parameters.items():
        assert len(parameter["Description"]) > 10, name
        assert parameter["ConstraintDescription"], name
        assert {"AllowedPattern", "AllowedValues", "MinValue"} & set(parameter), name


def test_only_what_nobody_could_guess_is_required(parameters: dict[str, Any]) -> None:
    """A person must give the client, its secret's ARN, and what the pages say of the company; the rest has defaults."""
    assert {name for name, parameter in parameters.items() if "Default" not in parameter} == REQUIRED


def test_the_console_shows_each_parameter_once_in_a_group(
    template: dict[str, Any], parameters: dict[str, Any]
) -> None:
    """Every parameter stands in exactly one group of the console's form."""
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(parameters)


def test_every_pattern_has_examples_and_is_anchored(parameters: dict[str, Any]) -> None:
    """Each parameter with a pattern has examples here, and no pattern matches only a part of the text."""
    patterns = {name: p["AllowedPattern"] for name, p in parameters.items() if "AllowedPattern" in p}
    assert set(patterns) == set(EXAMPLES)
    assert all(pattern.startswith("^") and pattern.endswith("$") for pattern in patterns.values())


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_pattern_takes_what_is_good_and_refuses_what_is_not(name: str, parameters: dict[str, Any]) -> None:
    """Good examples and the default pass the pattern, bad ones do not."""
    pattern = parameters[name]["AllowedPattern"]
    good, bad = EXAMPLES[name]
    for text in [*good, *([parameters[name]["Default"]] if "Default" in parameters[name] else [])]:
        assert re.fullmatch(pattern, text), text
    for text in bad:
        assert not re.fullmatch(pattern, text), text


@pytest.mark.parametrize("damage", sorted(DAMAGES.keys() - {"bytes that are no UTF-8"}))
@pytest.mark.parametrize("name", EXAMPLES)
def test_r41_a_pattern_refuses_a_damaged_text(name: str, damage: str, parameters: dict[str, Any]) -> None:
    """R41: CloudFormation rejects what a function would reject later; a name may begin with an apostrophe.

    CloudFormation's own API takes only UTF-8.
    """
    pattern = parameters[name]["AllowedPattern"]
    good = next(text for text in EXAMPLES[name][0] if text)
    may_be_a_name = name == "CompanyName" and damage in {"an apostrophe", "Excel's formula"}
    assert bool(re.fullmatch(pattern, DAMAGES[damage][0](good))) is may_be_a_name


@pytest.mark.parametrize(
    ("name", "default", "least", "most"),
    [("AccessTokenSeconds", 172_800, 300, 172_800), ("RefreshTokenSeconds", 7_776_000, 604_800, 7_776_000)],
)
def test_token_lifetimes_are_within_zendesks_limits(
    name: str, default: int, least: int, most: int, parameters: dict[str, Any]
) -> None:
    """Lifetimes have Zendesk's own limits and the longest life as default."""
    found = parameters[name]
    assert (found["Default"], found["MinValue"], found["MaxValue"]) == (default, least, most)


def test_only_stage_local_may_leave_zendesk(template: dict[str, Any], parameters: dict[str, Any]) -> None:
    """At any other stage a rule refuses every base address but Zendesk's own, which is the default."""
    rule = template["Rules"]["OnlyLocalLeavesZendesk"]
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "Stage"}, "local"]}]}
    assert [a["Assert"] for a in rule["Assertions"]] == [{"Fn::Equals": [{"Ref": "ZendeskBaseUrl"}, ZENDESK]}]
    assert parameters["ZendeskBaseUrl"]["Default"] == ZENDESK
    assert parameters["Stage"]["Default"] != "local"


@pytest.mark.parametrize(
    ("rule", "needed"), [("ConfirmedNeedsSite", "SiteUrl"), ("DomainNeedsCertificate", "CertificateArn")]
)
def test_what_needs_another_parameter_is_refused_without_it(
    rule: str, needed: str, template: dict[str, Any]
) -> None:
    """Confirmed mode needs a page to return to, and a domain needs its certificate."""
    [assertion] = template["Rules"][rule]["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": needed}, ""]}]}
    assert needed in assertion["AssertDescription"]
