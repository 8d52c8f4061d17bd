"""Settings that came through a shell, an env file or an editor: read as intended, or rejected by name and cause."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.models.test_text_damage import ANY_TEXT
from tests.unit.test_settings import GOOD, problems, read
from zendesk_oauth.bootstrap.connections import ConnectionsSettings
from zendesk_oauth.bootstrap.publish import PublishSettings
from zendesk_oauth.bootstrap.refresh import RefreshSettings
from zendesk_oauth.errors import ConfigurationError
from zendesk_oauth.settings import VARIABLES, WORKER_PREFIX, WORKER_VARIABLES, Variables, WorkerSettings

NOT_READ = {"ZENDESK_CLIENT_ID", "CLIENT_SECRET_ARN", "CONNECTIONS_TABLE", "COMPANY_NAME"}
"""Variables that `read` leaves to the functions themselves, and a company's name, which has a test of its own."""
WORKER = {
    "ZENDESK_OAUTH_APPLICATION": "zendesk-oauth",
    "ZENDESK_OAUTH_STAGE": "prod",
    "ZENDESK_OAUTH_CONNECTIONS_TABLE": "connections",
    "ZENDESK_OAUTH_TOKEN_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/1",
    "ZENDESK_OAUTH_REFRESH_FUNCTION": "refresh",
    "ZENDESK_OAUTH_BASE_URL": "",
    "ZENDESK_OAUTH_START_URL": "https://connect.example.com/oauth/start",
}
DAMAGES: Mapping[str, tuple[Callable[[str], str], str]] = {
    "a mark": (lambda text: f"\ufeff{text}", "begins with a byte-order mark"),
    "CRLF": (lambda text: f"{text}\r\n", "ends with a carriage return"),
    "lone CR": (lambda text: f"{text}\r", "ends with a carriage return"),
    "double quotes": (lambda text: f'"{text}"', "is in quotes"),
    "single quotes": (lambda text: f"'{text}'", "is in quotes"),
    "Excel's formula": (lambda text: f'="{text}"', "ends with a quotation mark"),
    "an apostrophe": (lambda text: f"'{text}", "begins with a quotation mark"),
    "a no-break space": (lambda text: f"{text}\u00a0", "ends with U+00A0 NO-BREAK SPACE"),
    "smart quotes": (lambda text: f"\u201c{text}\u201d", "begins with U+201C"),
    "UTF-16": ("\0".join, "has a NUL character"),
    "a tab inside": (lambda text: f"{text[0]}\t{text[1:]}", "has a tab"),
    "a line break inside": (lambda text: f"{text[0]}\n{text[1:]}", "has a line break"),
    "bytes that are no UTF-8": (lambda text: f"{text}\udcff", "ends with a byte that is no text"),
}
MEANT: Mapping[str, Callable[[str], str]] = {
    "spaces": lambda text: f"  {text} ",
    "tabs": lambda text: f"\t{text}\t",
    "a line break at the end": lambda text: f"{text}\n",
}


def refused(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the problems of a worker's environment."""
    with pytest.raises(ConfigurationError) as raised:
        WorkerSettings.read(environ)
    return raised.value.problems


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [name for name, text in WORKER.items() if text])
def test_r41_a_damaged_variable_of_a_worker_is_named_with_its_cause(name: str, damage: str) -> None:
    """R41: the one variable that is damaged is blamed, for what happened to it, and without its value."""
    spoil, cause = DAMAGES[damage]
    (problem,) = refused(WORKER | {name: spoil(WORKER[name])})
    assert problem.startswith(f"{name} {cause}")
    assert WORKER[name] not in problem.removeprefix(name)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", sorted(GOOD.keys() - NOT_READ - {"SUPPORT_ADDRESS"}))
def test_r41_a_damaged_variable_of_a_function_is_named_with_its_cause(name: str, damage: str) -> None:
    """R41: every variable of the install flow, a company's name included; a function starts with none of them."""
    spoil, cause = DAMAGES[damage]
    (problem,) = problems(**{name: spoil(GOOD[name])})
    assert problem.startswith(f"{name} {cause}")


@pytest.mark.parametrize(
    "damage", sorted(DAMAGES.keys() - {"Excel's formula", "an apostrophe", "smart quotes"})
)
def test_r41_a_damaged_company_name_is_rejected_too(damage: str) -> None:
    """R41: the one text that may have letters of any language, and a quotation mark at one end."""
    spoil, cause = DAMAGES[damage]
    (problem,) = problems(COMPANY_NAME=spoil("'t Hart"))
    assert problem.startswith(f"COMPANY_NAME {cause}")
    assert problems(COMPANY_NAME="'t Hart & S\u00f8n") == []
    assert problems(COMPANY_NAME="\u201cExample\u201d") == [
        "COMPANY_NAME is in quotes, which would be part of it"
    ]


@pytest.mark.parametrize("damage", DAMAGES)
def test_r41_a_damaged_support_address_is_rejected_too(damage: str) -> None:
    """R41: its domain may have letters of any language, so smart quotes count as quotes and not as foreign letters."""
    spoil, cause = DAMAGES[damage]
    (problem,) = problems(SUPPORT_ADDRESS=spoil(GOOD["SUPPORT_ADDRESS"]))
    assert problem.startswith(f"SUPPORT_ADDRESS {'is in quotes' if damage == 'smart quotes' else cause}")
    assert problems(SUPPORT_ADDRESS="hilfe@m\u00fcller.example") == []


@pytest.mark.parametrize("spoil", MEANT.values(), ids=MEANT)
def test_r41_blanks_around_a_value_are_no_part_of_it(spoil: Callable[[str], str]) -> None:
    """R41: spaces, tabs and a line break around a value are removed, the stage's too."""
    spoilt = {name: spoil(text) for name, text in WORKER.items() if text}
    assert WorkerSettings.read(spoilt) == WorkerSettings.read(WORKER)
    assert Variables("start", {"STAGE": spoil("local")}).is_local


def test_case_worker_quoted_env() -> None:
    """R41: an env file whose reader keeps the quotes names each quoted variable, and no table of that name is asked."""
    lines = [
        "ZENDESK_OAUTH_APPLICATION=zendesk-oauth",
        "ZENDESK_OAUTH_STAGE=prod",
        'ZENDESK_OAUTH_CONNECTIONS_TABLE="connections"',
        'ZENDESK_OAUTH_TOKEN_KEY_ARN="arn:aws:kms:us-east-1:123456789012:key/1"',
        'ZENDESK_OAUTH_REFRESH_FUNCTION="refresh"',
    ]
    environ = dict(line.split("=", 1) for line in lines)
    environ["ZENDESK_OAUTH_BASE_URL"] = "https://{subdomain}.zendesk.com"
    assert set(refused(environ)) == {
        f"ZENDESK_OAUTH_{name} is in quotes, which would be part of it"
        for name in ("CONNECTIONS_TABLE", "TOKEN_KEY_ARN", "REFRESH_FUNCTION")
    }


def test_r41_a_stage_with_a_carriage_return_is_named_as_what_it_is() -> None:
    r"""R41: `STAGE=local\r` is the only problem, and no address is blamed for it."""
    local = GOOD | {
        "STAGE": "local\r",
        "ZENDESK_BASE_URL": "http://127.0.0.1:8080/{subdomain}",
        "PUBLIC_BASE_URL": "http://localhost:8000",
    }
    for function in ("start", "installs", "callback"):
        variables = read_flow(local, function)
        with pytest.raises(ConfigurationError) as raised:
            variables.finish(None)
        assert raised.value.problems == (
            "STAGE ends with a carriage return, as in a file with Windows line ends",
        )


def read_flow(environ: Mapping[str, str], function: str) -> Variables:
    """Return the variables of a function after it has read what the install flow needs."""
    from zendesk_oauth.flow_settings import FlowSettings  # noqa: PLC0415 - beside its one use

    variables = Variables(function, environ)
    FlowSettings.read(variables)
    return variables


def test_r41_an_env_file_with_windows_line_ends_is_told_for_each_variable() -> None:
    """R41: each line of such a file ends alike, so each variable is named."""
    spoilt = {name: f"{text}\r" for name, text in WORKER.items()}
    found = refused(spoilt)
    assert {problem.split()[0] for problem in found} == WORKER.keys()
    assert all("carriage return" in problem for problem in found)


def test_r41_a_byte_order_mark_before_the_first_name_is_found() -> None:
    """R41: the first variable of a file that Notepad saved has another name, and that is said instead of "missing"."""
    spoilt = WORKER | {"\ufeffZENDESK_OAUTH_APPLICATION": "zendesk-oauth", "ZENDESK_OAUTH_APPLICATION": ""}
    assert refused(spoilt) == (
        "ZENDESK_OAUTH_APPLICATION is missing: the environment has that name with a byte-order mark before it",
    )


@pytest.mark.parametrize("text", ["con nections", "connections # the table"])
def test_r42_a_name_or_an_arn_has_no_space_inside(text: str) -> None:
    """R42: no table, key, function or queue of AWS's has one, so it is rejected before AWS is asked."""
    assert refused(WORKER | {"ZENDESK_OAUTH_CONNECTIONS_TABLE": text}) == (
        "ZENDESK_OAUTH_CONNECTIONS_TABLE has a space inside",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("GRANTS", "SECRET-VALUE=read"),
        ("GRANTS", "default=read SECRET-VALUE"),
        ("ALLOWED_RETURN_ORIGINS", "https://app.example.com SECRET-VALUE"),
    ],
)
def test_r42_a_list_with_a_wrong_member_names_it_by_its_number(name: str, text: str) -> None:
    """R42: a token in the wrong variable does not get into the log."""
    (problem,) = problems(**{name: text})
    assert "number" in problem
    assert "SECRET" not in problem


_NAMES = sorted(frozenset().union(*VARIABLES.values()))
_ENVIRONMENTS = st.dictionaries(
    st.sampled_from(_NAMES), st.sampled_from(sorted(GOOD.values())) | ANY_TEXT, max_size=len(_NAMES)
)


@given(_ENVIRONMENTS)
@settings(deadline=None)
def test_r41_no_environment_raises_anything_but_a_configuration_error(environ: dict[str, str]) -> None:
    """R41: whatever the variables hold, a function starts or says what is wrong with them."""
    readers: Mapping[str, Callable[[Variables], object]] = {
        "refresh": RefreshSettings.read,
        "connections": ConnectionsSettings.read,
        "publish": PublishSettings.read,
    }
    for function, reader in readers.items():
        variables = Variables(function, environ)
        finished(variables, reader(variables))
    finished(variables := read(environ), variables)


@given(
    st.dictionaries(
        st.sampled_from(sorted(WORKER_VARIABLES)), st.sampled_from(sorted(WORKER.values())) | ANY_TEXT
    )
)
@settings(deadline=None)
def test_r41_no_environment_of_a_worker_raises_anything_but_a_configuration_error(
    environ: dict[str, str],
) -> None:
    """R41: a worker gets its settings, all of them intact, or a ConfigurationError."""
    named = {f"{WORKER_PREFIX}{name}": text for name, text in environ.items()}
    try:
        made = WorkerSettings.read(named)
    except ConfigurationError as error:
        assert error.problems  # noqa: PT017 - both ends are good, and this one names why
    else:
        seal = made.seal
        names = (seal.application, seal.stage, seal.token_key_arn)
        texts = (*names, made.connections_table, made.refresh_function, made.zendesk_base_url)
        assert all(text.isascii() and text.isprintable() for text in texts)


def finished(variables: Variables, made: object) -> None:
    """Finish, and see that what keeps it from its end is named, each problem by its variable."""
    try:
        assert variables.finish(made) is made
    except ConfigurationError as error:
        assert all(problem.split()[0] in _NAMES for problem in error.problems)  # noqa: PT017 - as above
