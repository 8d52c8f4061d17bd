"""What keeps a command from its end: a sentence on standard error, an exit code, no traceback, and no secret."""

import io
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    ParamValidationError,
    ProfileNotFound,
    ReadTimeoutError,
)

from cli.command import command
from cli.console import WIDTH_OF_NO_TERMINAL
from cli.desk import Desk
from cli.exits import Exit
from cli.output import Output
from cli.trouble import trouble_of
from tests.cli.aws import LoopbackAws, Said, refused
from tests.cli.conftest import Type
from tests.cli.samples import connection
from tests.doubles.describe_stacks import stack_xml
from zendesk_oauth.errors import ConfigurationError, StoreUnavailableError, SubdomainRefusedError

LIST = "GET /connections"
ROOT = Path(__file__).parents[2]
PYTHONPATH = f"{ROOT}:{ROOT / 'layers/zendesk_oauth'}"


def aws_error(code: str, operation: str = "Invoke", status: int = 400) -> ClientError:
    """Return what an SDK raises for an answer of AWS."""
    details = {"Error": {"Code": code, "Message": "because"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(details, operation)  # type: ignore[arg-type]  # what is not looked at is left out


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (aws_error("AccessDeniedException"), Exit.NO_ACCESS, "docs/cli.md says which policy does"),
        (aws_error("ExpiredToken"), Exit.NO_ACCESS, "log in again"),
        (aws_error("ThrottlingException"), Exit.NOT_NOW, "try again"),
        (aws_error("TooManyRequestsException"), Exit.NOT_NOW, "try again"),
        (aws_error("InternalFailure", status=503), Exit.NOT_NOW, "try again"),
        (aws_error("ValidationError", "Invoke"), Exit.BROKEN, "AWS refuses Invoke"),
        (EndpointConnectionError(endpoint_url="https://x"), Exit.NOT_NOW, "look at the network"),
        (ReadTimeoutError(endpoint_url="https://x"), Exit.NOT_NOW, "look at the network"),
        (ProfileNotFound(profile="nobody"), Exit.NO_ACCESS, "ProfileNotFound"),
        (SubdomainRefusedError("not one DNS label"), Exit.USAGE, "acme.zendesk.com"),
        (StoreUnavailableError("throttled"), Exit.NOT_NOW, "throttled; try again"),
        (ConfigurationError(("a problem",)), Exit.BROKEN, "a problem"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_an_error_means_to_whoever_typed(error: Exception, code: Exit, said: str) -> None:
    """Each has its exit code, and a sentence with what can be done."""
    trouble = trouble_of(error)
    assert trouble is not None
    assert (trouble.exit_code, said in str(trouble)) == (code, True)


NOT_AUTHORIZED = "User: arn:aws:iam::1:user/x is not authorized to perform: iam:GetRole"
ROLE = "arn:aws:iam::123456789012:role/zendesk-oauth-prod-refresh"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (f"{NOT_AUTHORIZED} on resource: {ROLE} because of PLANTED", f"iam:GetRole on {ROLE}; docs"),
        (f"{NOT_AUTHORIZED} PLANTED", "AWS does not allow iam:GetRole; docs"),
        ("PLANTED", "AWS does not allow GetRole; docs"),
    ],
)
def test_r39_of_a_refusal_the_action_and_the_resource_are_told_alone(message: str, said: str) -> None:
    """R39: AWS's text can quote what it was sent, so only what has the form of an action or an ARN is taken of it."""
    trouble = trouble_of(ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "GetRole"))
    assert (said in str(trouble), "PLANTED" in str(trouble)) == (True, False)


def test_r39_an_answer_that_is_not_of_aws_is_told_as_that() -> None:
    """R39: a proxy's page has no error code; what stands in its place is not quoted."""
    error = ClientError({"Error": {"Code": "PLANTED1", "Message": "<html>"}}, "GetRole")
    trouble = trouble_of(error)
    assert trouble is not None
    assert (trouble.exit_code, "something else answers in its place" in str(trouble)) == (Exit.NOT_NOW, True)
    assert "PLANTED1" not in str(trouble)


def test_the_name_of_no_stack_is_a_usage_error(aws: LoopbackAws, typed: Type) -> None:
    """It is refused before AWS is asked, also where no encoding has it."""
    for name in ("", "a b", "-x", "\udcff"):
        result = typed("list", "--stack", name)
        assert (result.exit_code, "the name of no stack" in result.stderr) == (Exit.USAGE, True)
    assert aws.asked == []


def test_a_console_can_be_given_another_stream() -> None:
    """Rich lets a program set it, and what is printed goes there."""
    console, stream = Output(as_json=False).out, io.StringIO()
    console.file = stream
    console.print("told")
    assert stream.getvalue() == "told\n"


@pytest.mark.parametrize("error", [ValueError("quoted"), ParamValidationError(report="quoted")])
def test_what_nobody_foresaw_is_not_explained(error: Exception) -> None:
    """The text of such an error may quote what it was given, an SDK's too."""
    assert trouble_of(error) is None


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (Said(403, {"message": "Forbidden"}), Exit.NO_ACCESS, "docs/cli.md says which policy does"),
        (Said(404, {"message": "Not Found"}), Exit.BROKEN, "of this command's version"),
        (Said(500, {"error": "internal", "reference": "r-1"}), Exit.BROKEN, "its log knows it as r-1"),
        (Said(502, "<html>"), Exit.BROKEN, "the gateway's log"),
        (Said(200, "[]"), Exit.BROKEN, "KeyError"),
        (Said(400, {"error": "unknown_grant", "message": "no"}), Exit.USAGE, "Grants"),
        (
            Said(400, {"error": "malformed_request", "message": "It is damaged."}),
            Exit.USAGE,
            "It is damaged.",
        ),
        (Said(404, {"error": "not_connected"}), Exit.NOT_CONNECTED, "no such connection"),
        (Said(429, {}, {"Retry-After": "0"}), Exit.NOT_NOW, "asks to wait (429)"),
        (Said(503, {"error": "store_unavailable"}, {"Retry-After": "0"}), Exit.NOT_NOW, "store_unavailable"),
    ],
    ids=lambda value: str(getattr(value, "status", "")),
)
def test_what_the_api_says_is_told_in_words(
    aws: LoopbackAws, typed: Type, answer: Said, code: Exit, said: str
) -> None:
    """The exit code says whose turn it is, and standard output stays empty, also for machines."""
    aws.say(LIST, answer)
    result = typed("list", "--json")
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_an_api_that_is_busy_is_asked_again(aws: LoopbackAws, typed: Type) -> None:
    """As long as it says, and no more than a few times."""
    busy = Said(429, {"message": "Too Many Requests"}, {"Retry-After": "0"})
    aws.say(LIST, busy, busy, busy, busy, Said(body={"connections": [], "cursor": None}))
    assert typed("list").exit_code == 0
    assert len(aws.requests(LIST)) == 5


def test_without_a_word_how_long_it_is_waited_longer_each_time(
    aws: LoopbackAws, typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And never longer than a person waits."""
    waited: list[float] = []
    monkeypatch.setattr("cli.asking.sleep", waited.append)
    busy = Said(429, {})
    aws.say(LIST, busy, busy, Said(503, {}, {"Retry-After": "3600"}), busy, Said(404, {}))
    assert typed("list").exit_code == Exit.BROKEN
    assert waited == [1, 2, 10, 4]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused("AccessDenied"), Exit.NO_ACCESS),
        (refused("InvalidClientTokenId", status=403), Exit.NO_ACCESS),
    ],
)
def test_a_stack_that_cannot_be_looked_at(aws: LoopbackAws, typed: Type, answer: Said, code: Exit) -> None:
    """It is said why, before anything else is asked."""
    aws.say("DescribeStacks", answer)
    result = typed("list")
    assert (result.exit_code, result.stdout) == (code, "")
    assert aws.requests(LIST) == []


def test_a_stack_that_is_not_there(aws: LoopbackAws, typed: Type) -> None:
    """By the option, or by the environment."""
    result = typed("list", "--stack", "another")
    assert (
        result.exit_code,
        "there is no stack another here; --stack names yours" in result.stderr,
    ) == (
        Exit.NO_ACCESS,
        True,
    )
    assert "there is no stack mine here" in typed("list", env={"ZENDESK_OAUTH_STACK": "mine"}).stderr
    assert aws.asked == []


def test_without_a_region_nothing_is_asked(
    aws: LoopbackAws, typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names the variable."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    result = typed("list")
    assert (result.exit_code, result.stderr) == (
        Exit.NO_ACCESS,
        "zendesk-oauth: no Region is set; AWS_REGION names one\n",
    )
    assert aws.asked == []


def test_without_credentials_nothing_is_asked(
    aws: LoopbackAws, typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of AWS nor of the API."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    result = typed("list")
    assert (result.exit_code, "log in again" in result.stderr) == (Exit.NO_ACCESS, True)
    assert aws.asked == []


def test_ctrl_c_ends_it_plainly(aws: LoopbackAws, typed: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the exit code that a shell gives such an end."""

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.asking.sleep", stop)
    aws.say(LIST, Said(429, {}))
    result = typed("list")
    assert (result.exit_code, result.stderr) == (Exit.STOPPED, "zendesk-oauth: stopped\n")


def test_what_nobody_foresaw_is_told_without_its_text(
    aws: LoopbackAws, typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kind and its place, and how it ends; its text may quote anything."""

    def fail(_: object) -> None:
        raise ValueError("quoted-secret")

    monkeypatch.setattr("cli.asking.sleep", fail)
    aws.say(LIST, Said(429, {}))
    result = typed("list")
    assert (result.exit_code, "quoted-secret" in result.output) == (Exit.BROKEN, False)
    assert "ValueError at " in result.stderr


@pytest.mark.parametrize("words", [("list", "--limit", "0"), ("list", "--status", "gone"), ("nothing",), ()])
def test_a_wrong_command_line_is_a_usage_error(aws: LoopbackAws, typed: Type, words: tuple[str, ...]) -> None:
    """Nothing is asked of anybody."""
    result = typed(*words)
    assert (result.exit_code, result.stdout == "" or not words) == (Exit.USAGE, True)
    assert aws.asked == []


@pytest.mark.parametrize("words", [("list", "--json"), ("list",)])
def test_a_reader_that_goes_away_is_no_trouble(aws: LoopbackAws, words: tuple[str, ...]) -> None:
    """`zendesk-oauth list | head -0` ends quietly, and with a code of its own."""
    aws.say(LIST, Said(body={"connections": [connection()], "cursor": None}))
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": PYTHONPATH},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert (process.returncode, len(aws.requests(LIST))) == (Exit.UNREAD, 1)


def test_a_message_that_nobody_reads_is_no_trouble_either() -> None:
    """Both ways out in one pipe, `2>&1 | head -0`, and something to complain of."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "cli", "list"],
            cwd=ROOT,
            env={"PYTHONPATH": PYTHONPATH},
            check=False,
            stdout=out,
            stderr=out,
        )
    assert done.returncode == Exit.UNREAD


def test_an_output_that_cannot_be_written_is_told_as_that(aws: LoopbackAws) -> None:
    """A disk that is full is no error of the command's own, and says so on the other way out."""
    aws.say(LIST, Said(body={"connections": [connection()], "cursor": None}))
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cli", "list", "--json"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": PYTHONPATH},
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (done.returncode, done.stderr) == (
        Exit.NOT_NOW,
        "zendesk-oauth: the output cannot be written: No space left on device\n",
    )


def test_an_output_that_cannot_be_written_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is left in it is dropped; one that was never there is a wrong command line."""

    def tell(desk: Desk) -> None:
        desk.output.tell(["told"], lambda console: console.print("told"))

    with Path("/dev/full").open("w", encoding="utf-8") as full:
        for stream in ("stdout", "stderr"):
            monkeypatch.setattr(sys, stream, full)
        monkeypatch.setattr(Output, "say", lambda *_: None)
        with pytest.raises(typer.Exit) as ended:
            command(tell)(stack="any", as_json=True)
        assert ended.value.exit_code == Exit.NOT_NOW
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(typer.Exit) as ended:
        command(tell)(stack="any", as_json=True)
    assert ended.value.exit_code == Exit.USAGE


def test_an_address_that_is_none_is_named(
    aws: LoopbackAws, typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nobody is asked anything."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "foo")
    result = typed("list")
    assert (result.exit_code, "AWS_ENDPOINT_URL is no address" in result.stderr) == (Exit.NO_ACCESS, True)
    assert aws.asked == []


@pytest.mark.parametrize(
    "words", [("show",), ("probe",), ("refresh",), ("disconnect", "--yes")], ids=lambda words: words[0]
)
@pytest.mark.parametrize(("grant", "code"), [("default", Exit.NOT_CONNECTED), ("defualt", Exit.USAGE)])
def test_a_connection_that_is_not_there_may_be_of_a_grant_that_is_not(
    aws: LoopbackAws, typed: Type, words: tuple[str, ...], grant: str, code: Exit
) -> None:
    """A slip in the grant's name is told from an account that has not connected."""
    aws.say(f"GET /connections/{grant}/acme", Said(404, {"error": "not_connected"}))
    nobody = {"outcome": "not_connected", "status": None, "epoch": None, "generation": None, "retry_at": None}
    aws.say("invoke", Said(body=nobody))
    result = typed(*words, "acme", "--grant", grant)
    assert (result.exit_code, result.stdout) == (code, "")
    assert ("no grant of that name" in result.stderr) is (code == Exit.USAGE)


def test_a_store_error_is_told_by_what_caused_it() -> None:
    """The SDK's own words say more than ours, which were made for a log."""
    error = StoreUnavailableError("EndpointConnectionError")
    error.__cause__ = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    trouble = trouble_of(error)
    assert trouble is not None
    assert (trouble.exit_code, "does `make local` still run?" in str(trouble)) == (Exit.NOT_NOW, True)


@pytest.mark.parametrize("as_json", [True, False])
def test_what_nobody_reads_is_dropped(monkeypatch: pytest.MonkeyPatch, *, as_json: bool) -> None:
    """Also what still lies in the buffer when the process ends."""

    def tell(desk: Desk) -> None:
        desk.output.tell(["told"], lambda console: console.print("told"))

    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as out:
        for stream in ("stdout", "stderr"):
            monkeypatch.setattr(sys, stream, out)
        with pytest.raises(typer.Exit) as ended:
            command(tell)(stack="any", as_json=as_json)
        assert ended.value.exit_code == Exit.UNREAD
        out.write("left over")
    assert out.closed


def test_a_stack_of_something_else_is_told_as_that(aws: LoopbackAws, typed: Type) -> None:
    """As the example's, which stands beside a deployment."""
    aws.parameters.clear()
    result = typed("list")
    assert (result.exit_code, result.stdout) == (Exit.NO_ACCESS, "")
    assert "is a stack, but no deployment of this" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("show", "acme"),
        ("probe", "acme"),
        ("refresh", "acme"),
        ("disconnect", "acme", "--yes"),
        ("invite", "user-7"),
        ("rekey",),
        ("restore", "--from", "backup"),
    ],
    ids=lambda words: words[0],
)
def test_a_stack_that_never_came_to_its_end_is_told_as_that(
    aws: LoopbackAws, typed: Type, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """It has parameters and no outputs: what is missing is named, and no command takes it for an error of its own."""
    monkeypatch.setattr(aws, "describe_stacks", lambda _: Said(200, stack_xml({}, aws.parameters)))
    result = typed(*words)
    assert (result.exit_code, result.stdout) == (Exit.BROKEN, "")
    assert "the stack has no output " in result.stderr
    assert "report it" not in result.stderr


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:1", "does `make local` still run?"),
        ("https://lambda.example.com", "look at the network"),
    ],
)
def test_nobody_at_an_address_is_told_by_where_it_is(address: str, said: str) -> None:
    """On this machine it is the local stack that has ended."""
    trouble = trouble_of(EndpointConnectionError(endpoint_url=address))
    assert trouble is not None
    assert (trouble.exit_code, said in str(trouble)) == (Exit.NOT_NOW, True)


def test_it_runs_as_a_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Under its own name, whatever started it."""
    monkeypatch.setattr(sys, "argv", ["cli", "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("cli", run_name="__main__")
    assert (ended.value.code, "Usage: zendesk-oauth " in capsys.readouterr().out) == (0, True)


def test_a_terminal_keeps_its_own_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a file or a pipe is made wider."""
    monkeypatch.setenv("COLUMNS", "90")
    widths = []
    for forced in ("", "1"):
        monkeypatch.setenv("FORCE_COLOR", forced)
        widths.append(Output(as_json=False).out.width)
    assert widths == [WIDTH_OF_NO_TERMINAL, 90]


def test_help_loads_no_sdk() -> None:
    """What is asked of nobody comes at once."""
    program = (
        "import sys; from cli.app import app; app(['list', '--help'], standalone_mode=False);"
        "assert not {'botocore', 'boto3'} & set(sys.modules)"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": PYTHONPATH},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "--stack" in done.stdout) == (0, True), done.stderr
