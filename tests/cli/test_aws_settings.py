"""AWS settings and credentials that cannot be used: the setting is named, its value and the SDK's text are not."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import RefreshWithMFAUnsupportedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.exits import Exit
from deployed.account import Account
from deployed.aws_settings import SettingsError, strerror
from deployed.credentials import CheckedCredentials, CredentialsError, Source
from local.served import served
from tests.cli.aws import LoopbackAws, Said
from tests.cli.conftest import Type

SECRET = "PLANTED7SECRET"
ROOT = Path(__file__).parents[2]
PYTHONPATH = f"{ROOT}:{ROOT / 'layers/zendesk_oauth'}"
NOBODY = "http://127.0.0.1:1"
FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


class Echo(ThreadingHTTPServer):
    """A server in AWS's place that refuses every request and quotes all of it."""

    daemon_threads = True
    code = "AccessDenied"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echoing)
        self.address = f"http://127.0.0.1:{self.server_port}"


class _Echoing(BaseHTTPRequestHandler):
    server: Echo

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("latin-1")
        quoted = f"{self.path} {self.headers} {body} {SECRET}".replace("&", " ").replace("<", " ")
        error = (
            f"<Error><Type>Sender</Type><Code>{self.server.code}</Code><Message>{quoted}</Message></Error>"
        )
        content = f"<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>".encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the base's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
        """Log nothing."""


@pytest.fixture
def echo() -> Iterator[Echo]:
    """Give a server that quotes what it is sent."""
    with served(Echo()) as server:
        yield server


class Here(NamedTuple):
    """A machine's AWS settings: its environment, and a folder for its files."""

    patch: pytest.MonkeyPatch
    home: Path

    def set(self, **variables: str) -> None:
        """Set variables."""
        for name, value in variables.items():
            self.patch.setenv(name, value)

    def write(self, name: str, text: str) -> str:
        """Write a file, and return its path."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return str(path)

    def config(self, text: str, profile: str | None = None) -> None:
        """Take the credentials from a config file."""
        self.set(AWS_CONFIG_FILE=self.write("config", text))
        if profile:
            self.set(AWS_PROFILE=profile)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Here:
    """Give a machine with a Region, without credentials, whose requests end at an address where nobody listens."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    found = Here(monkeypatch, tmp_path)
    found.set(
        HOME=str(tmp_path),
        AWS_REGION="us-east-1",
        AWS_EC2_METADATA_DISABLED="true",
        AWS_ENDPOINT_URL=NOBODY,
        AWS_MAX_ATTEMPTS="1",
        AWS_CONFIG_FILE="/dev/null",
        AWS_SHARED_CREDENTIALS_FILE="/dev/null",
    )
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
    return found


def keys(here: Here, **changed: str) -> None:
    """Set credentials in the environment, and other variables beside them."""
    given = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", **changed}
    here.set(**given)


def process(output: str) -> str:
    """Return a profile whose credentials are what a program prints."""
    return f"[profile made]\ncredential_process = /bin/echo '{output}'\n"


SSO = """\
[profile sso]
sso_session = company
sso_account_id = 123456789012
sso_role_name = operator
[sso-session company]
sso_start_url = https://company.awsapps.com/start
sso_region = us-east-1
"""
CHAIN = "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = nowhere\n"
ROLE = "arn:aws:iam::123456789012:role/x"
type Trouble = Callable[[Here], object]

CREDENTIALS: list[tuple[str, Trouble, str]] = [
    ("no credentials", lambda _: None, "there are no AWS credentials"),
    (
        "half a key",
        lambda here: here.set(AWS_ACCESS_KEY_ID="AK"),
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    (
        "token newline",
        lambda here: keys(here, AWS_SESSION_TOKEN=f"{SECRET}\n"),
        "AWS_SESSION_TOKEN has a line end",
    ),
    (
        "old token",
        lambda here: keys(here, AWS_SECURITY_TOKEN=f"{SECRET} "),
        "AWS_SECURITY_TOKEN has a line end",
    ),
    (
        "key newline",
        lambda here: keys(here, AWS_ACCESS_KEY_ID=f"A\n{SECRET}"),
        "AWS_ACCESS_KEY_ID has a line end",
    ),
    (
        "secret space",
        lambda here: keys(here, AWS_SECRET_ACCESS_KEY=f"\xa0{SECRET}"),
        "AWS_SECRET_ACCESS_KEY has",
    ),
    (
        "expiry variable",
        lambda here: keys(here, AWS_SESSION_TOKEN=SECRET, AWS_CREDENTIAL_EXPIRATION=SECRET),
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY gives no credentials",
    ),
    (
        "process without a program",
        lambda here: here.config(f"[profile made]\ncredential_process = /none/{SECRET}\n", "made"),
        "`credential_process` of the profile made gives no credentials: a file or program that it names",
    ),
    (
        "process banner",
        lambda here: here.config(process(SECRET), "made"),
        "`credential_process` of the profile made",
    ),
    (
        "process list",
        lambda here: here.config(process("[1]"), "made"),
        "`credential_process` of the profile made",
    ),
    (
        "process version",
        lambda here: here.config(process('{"Version": 9}'), "made"),
        "`credential_process` of",
    ),
    (
        "process quote",
        lambda here: here.config(f"[profile made]\ncredential_process = x 'un{SECRET}\n", "made"),
        "`credential_process` of the profile made",
    ),
    (
        "process expiry",
        lambda here: here.config(process(made_keys(Expiration=SECRET)), "made"),
        "`credential_process` of the profile made",
    ),
    (
        "process expired",
        lambda here: here.config(process(made_keys(Expiration="2020-01-01T00:00:00Z")), "made"),
        "what it gives has expired",
    ),
    (
        "process token newline",
        lambda here: here.config(process(made_keys(SessionToken=f"{SECRET}\\n")), "made"),
        "the session token from `credential_process` of the profile made has a line end",
    ),
    ("no sso login", lambda here: here.config(SSO, "sso"), "run `aws sso login`"),
    (
        "broken sso cache",
        lambda here: broken_sso(here, f'{{"accessToken": "{SECRET}'),
        "the SSO login of the profile sso",
    ),
    ("empty sso cache", lambda here: broken_sso(here, "{}"), "the SSO login of the profile sso"),
    (
        "web identity variable",
        lambda here: here.set(AWS_ROLE_ARN=ROLE, AWS_WEB_IDENTITY_TOKEN_FILE=f"/none/{SECRET}"),
        "AWS_WEB_IDENTITY_TOKEN_FILE gives no credentials: a file or program that it names",
    ),
    (
        "web identity profile",
        lambda here: here.config(
            f"[profile web]\nrole_arn = {ROLE}\nweb_identity_token_file = /none/{SECRET}\n", "web"
        ),
        "`web_identity_token_file` of the profile web gives no credentials",
    ),
    ("chain", lambda here: here.config(CHAIN, "a"), "`role_arn` of the profile a gives no credentials"),
    (
        "container address",
        lambda here: here.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"http://{SECRET}.example/x"),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI gives no credentials",
    ),
    (
        "container token file",
        lambda here: here.set(
            AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:1/x",
            AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=f"/none/{SECRET}",
        ),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI with AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE gives no credentials",
    ),
    (
        "container token newline",
        lambda here: here.set(
            AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:1/x",
            AWS_CONTAINER_AUTHORIZATION_TOKEN=f"{SECRET}\n",
        ),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI with AWS_CONTAINER_AUTHORIZATION_TOKEN gives no credentials",
    ),
]
SETTINGS: list[tuple[str, Trouble, str]] = [
    (
        "unknown profile",
        lambda here: here.set(AWS_PROFILE=SECRET),
        "AWS_PROFILE names a profile that is in neither",
    ),
    ("old profile", lambda here: here.set(AWS_DEFAULT_PROFILE=SECRET), "AWS_DEFAULT_PROFILE names a profile"),
    (
        "no profile header",
        lambda here: here.config(f"aws_session_token = {SECRET}\n"),
        "the file of AWS_CONFIG_FILE is no file of AWS settings: line 1 stands before the first [profile]",
    ),
    (
        "no setting",
        lambda here: here.config(f"[default]\n{SECRET}\n"),
        "the file of AWS_CONFIG_FILE is no file of AWS settings: line 2 is neither a [profile] nor a setting",
    ),
    (
        "twice",
        lambda here: here.config(f"[default]\na = 1\na = {SECRET}\n"),
        "is no file of AWS settings: line 3 repeats a name",
    ),
    (
        "nested",
        lambda here: here.config(f"[default]\ns3 =\n {SECRET}\n"),
        "the file of AWS_CONFIG_FILE is no file of AWS settings",
    ),
    (
        "not text",
        lambda here: here.set(
            AWS_SHARED_CREDENTIALS_FILE=here.write("own", f"[default]\nx = \udcff{SECRET}\n")
        ),
        "the file of AWS_SHARED_CREDENTIALS_FILE is no file of AWS settings",
    ),
    ("usual place", lambda here: usual_config(here, SECRET), "~/.aws/config is no file of AWS settings"),
    (
        "folder",
        lambda here: here.set(AWS_CONFIG_FILE=str(here.home)),
        "AWS_CONFIG_FILE cannot be read: Is a directory",
    ),
    (
        "unreadable",
        lambda here: here.set(AWS_SHARED_CREDENTIALS_FILE="/proc/self/mem"),
        "AWS_SHARED_CREDENTIALS_FILE cannot be read: Input/output error",
    ),
    (
        "unknown home",
        lambda here: here.set(AWS_CONFIG_FILE=f"~{SECRET}/config"),
        "AWS_CONFIG_FILE cannot be read: there is no home folder",
    ),
    ("region", lambda here: here.set(AWS_REGION=f"us-east-1\n{SECRET}"), "AWS_REGION is no Region"),
    ("region name", lambda here: here.set(AWS_REGION=f"{SECRET} x"), "AWS_REGION is no Region"),
    (
        "old region",
        lambda here: here.set(AWS_REGION="", AWS_DEFAULT_REGION=f"{SECRET}_"),
        "AWS_DEFAULT_REGION is no Region",
    ),
    (
        "profile's region",
        lambda here: region_of_profile(here, f"{SECRET}_"),
        "`region` of the profile mine is no Region",
    ),
    ("endpoint", lambda here: here.set(AWS_ENDPOINT_URL=SECRET), "AWS_ENDPOINT_URL is no address"),
    (
        "endpoint port",
        lambda here: here.set(AWS_ENDPOINT_URL=f"http://h:{SECRET}"),
        "AWS_ENDPOINT_URL is no address",
    ),
    (
        "endpoint scheme",
        lambda here: here.set(AWS_ENDPOINT_URL=f"ftp://{SECRET}"),
        "AWS_ENDPOINT_URL is no address",
    ),
    ("retry mode", lambda here: keys(here, AWS_RETRY_MODE=SECRET), "(InvalidRetryModeError)"),
    ("timeout", lambda here: here.set(AWS_METADATA_SERVICE_TIMEOUT=SECRET), "(ValueError)"),
]
NETWORK: list[tuple[str, Trouble, str]] = [
    ("nobody here", keys, "does `make local` still run?"),
    (
        "dead proxy",
        lambda here: proxied(here, f"http://user:{SECRET}@127.0.0.1:1"),
        "the proxy does not answer",
    ),
    ("proxy port", lambda here: proxied(here, f"http://user:{SECRET}@127.0.0.1:{SECRET}"), "HTTPS_PROXY"),
    ("proxy address", lambda here: proxied(here, f"http://user:{SECRET}@[x"), "HTTPS_PROXY"),
    (
        "proxy scheme",
        lambda here: proxied(here, f"socks5://user:{SECRET}@127.0.0.1:1"),
        "the proxy does not answer",
    ),
    (
        "certificates",
        lambda here: keys(here, AWS_CA_BUNDLE=f"/none/{SECRET}"),
        "AWS_CA_BUNDLE cannot be used: No such file or directory",
    ),
    (
        "no certificates",
        lambda here: keys(here, AWS_CA_BUNDLE=here.write("ca.pem", SECRET)),
        "AWS_CA_BUNDLE cannot be used: it has no certificates",
    ),
    (
        "profile's certificates",
        lambda here: here.config(
            f"[profile mine]\nca_bundle = /none/{SECRET}\n"
            "aws_access_key_id = testing\naws_secret_access_key = testing\n",
            "mine",
        ),
        "`ca_bundle` of the profile mine cannot be used",
    ),
    (
        "role without a network",
        lambda here: here.set(
            AWS_ROLE_ARN=ROLE, AWS_WEB_IDENTITY_TOKEN_FILE=here.write("token", f"{SECRET}\n")
        ),
        "does `make local` still run?",
    ),
]


def made_keys(**more: str) -> str:
    """Return what a credential process prints."""
    return json.dumps({"Version": 1, "AccessKeyId": "AK", "SecretAccessKey": SECRET, **more}).replace(
        "\\\\n", "\\n"
    )


def broken_sso(here: Here, text: str) -> None:
    """Leave a cache of an SSO login that cannot be used."""
    here.config(SSO, "sso")
    name = "3ae11d3deb0ea1c0b7d9c7cbb8bd1a8d5a6bba6c"
    here.write(f".aws/sso/cache/{name}.json", text)
    here.patch.setattr("botocore.utils.SSOTokenLoader._generate_cache_key", lambda *_, **__: name)
    cache = here.home / ".aws/sso/cache"
    here.patch.setattr("botocore.utils.JSONFileCache.CACHE_DIR", str(cache))
    here.patch.setattr("botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR", str(cache))
    here.patch.setattr("botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR", str(cache))


def usual_config(here: Here, text: str) -> None:
    """Write the config file where it usually is."""
    for name in FILES:
        here.patch.delenv(name)
    here.write(".aws/config", text)


def region_of_profile(here: Here, region: str) -> None:
    """Set a Region in a profile alone."""
    here.patch.delenv("AWS_REGION")
    here.config(f"[profile mine]\nregion = {region}\n", "mine")


def proxied(here: Here, proxy: str) -> None:
    """Set a proxy, and go to AWS itself."""
    keys(here)
    here.patch.delenv("AWS_ENDPOINT_URL")
    here.set(HTTPS_PROXY=proxy)


@pytest.mark.parametrize(
    ("trouble", "said", "code"),
    [
        *((trouble, said, Exit.NO_ACCESS) for _, trouble, said in [*CREDENTIALS, *SETTINGS]),
        *((trouble, said, Exit.NOT_NOW) for _, trouble, said in NETWORK),
    ],
    ids=[name for name, *_ in [*CREDENTIALS, *SETTINGS, *NETWORK]],
)
def test_r39_a_setting_that_cannot_be_used_is_named(
    here: Here, typed: Type, trouble: Trouble, said: str, code: Exit
) -> None:
    """R39: by its variable, profile or file, with 3 for settings and 4 for the network, and without its value."""
    trouble(here)
    result = typed("list", "--json")
    assert (result.exit_code, result.stdout) == (code, ""), result.stderr
    assert said in result.stderr
    assert SECRET not in result.stderr
    assert ("AWS cannot be reached" in result.stderr) is (code == Exit.NOT_NOW)
    assert "report it" not in result.stderr


def run(here: Here, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own."""
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env={**os.environ, "HOME": str(here.home), "PYTHONPATH": PYTHONPATH},
        check=False,
        capture_output=True,
        text=True,
    )


def test_r39_case_cli_session_token_newline(here: Here) -> None:
    """R39: a session token that was copied with its line end is named, and not printed."""
    keys(here, AWS_SESSION_TOKEN="SESSION-TOKEN-SECRET-abc123\n")
    done = run(here, "list")
    assert (done.returncode, done.stdout) == (Exit.NO_ACCESS, "")
    assert done.stderr == (
        "zendesk-oauth: AWS_SESSION_TOKEN has a line end, a space or another character that no credential has\n"
    )


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("banner", "`credential_process` of the profile banner gives no credentials"),
        ("missing", "names cannot be used: No such file or directory"),
        ("expiry", "`credential_process` of the profile expiry gives no credentials"),
        ("webid", "`web_identity_token_file` of the profile webid gives no credentials"),
    ],
)
def test_r39_case_cli_credential_process(here: Here, profile: str, said: str) -> None:
    """R39: a profile's program or file that gives no credentials is named, and nobody is asked to report it."""
    here.config(
        "[profile banner]\ncredential_process = /bin/echo please log in\n"
        "[profile missing]\ncredential_process = /nonexistent/tool\n"
        f"[profile expiry]\ncredential_process = /bin/echo '{made_keys(Expiration='tomorrow')}'\n"
        f"[profile webid]\nrole_arn = {ROLE}\nweb_identity_token_file = /none\n",
        profile,
    )
    done = run(here, "list")
    assert (done.returncode, done.stdout) == (Exit.NO_ACCESS, "")
    assert said in done.stderr
    assert "report it" not in done.stderr
    assert (
        done.stderr.count("\n") == 1
    )  # no line of a log either: botocore logs each failure with its traceback


def leaks(text: str, secret: str) -> list[str]:
    """Return the forms in which a text has a secret: as it is, in hexadecimal, and in base64 at any offset."""
    raw = secret.encode()
    encoded = [base64.b64encode(b"x" * offset + raw).decode()[offset + 2 : -4] for offset in range(3)]
    return [form for form in (secret, raw.hex(), *encoded) if form.lower() in text.lower()]


def test_a_leak_is_seen_in_every_form() -> None:
    """The search itself finds a secret that is quoted, escaped around, in hexadecimal, or in base64."""
    for form in (
        SECRET,
        repr(f"{SECRET}\n"),
        SECRET.encode().hex(),
        base64.b64encode(f"u:{SECRET}\n".encode()).decode(),
    ):
        assert leaks(f"before {form} after", SECRET) != []
    assert leaks("nothing of it", SECRET) == []


def all_keys(value: str) -> dict[str, Any]:
    """Return what a credential process gives, with one value everywhere."""
    return {"Version": 1, **dict.fromkeys(("AccessKeyId", "SecretAccessKey", "SessionToken"), value)}


def printed(here: Here, text: str, status: int = 0) -> None:
    """Have a program print a text on both ways out, and end with a status."""
    path = here.write("printed", text)
    script = here.write("program", f"cat '{path}'; cat '{path}' >&2; exit {status}\n")
    here.config(f"[default]\ncredential_process = /bin/sh '{script}'\n")


PLANTS: Mapping[str, Callable[[Here, str], object]] = {
    "key id": lambda here, value: keys(here, AWS_ACCESS_KEY_ID=value),
    "secret key": lambda here, value: keys(here, AWS_SECRET_ACCESS_KEY=value),
    "session token": lambda here, value: keys(here, AWS_SESSION_TOKEN=value),
    "expiration": lambda here, value: keys(here, AWS_CREDENTIAL_EXPIRATION=value),
    "profile's name": lambda here, value: here.set(AWS_PROFILE=value),
    "profile's token": lambda here, value: here.config(
        f"[default]\naws_access_key_id = {value}\naws_secret_access_key = {value}\naws_session_token = {value}\n"
    ),
    "line of a file": lambda here, value: here.config(f"[default]\n{value}\n"),
    "start of a file": lambda here, value: here.config(f"{value}\n"),
    "program": lambda here, value: here.config(f"[default]\ncredential_process = {value}\n"),
    "program's banner": printed,
    "program's error": lambda here, value: printed(here, value, status=1),
    "program's keys": lambda here, value: printed(here, json.dumps(all_keys(value))),
    "sso cache": broken_sso,
    "sso token": lambda here, value: broken_sso(
        here, json.dumps({"accessToken": value, "expiresAt": "2999-01-01T00:00:00Z"})
    ),
    "web identity token": lambda here, value: here.set(
        AWS_ROLE_ARN=ROLE, AWS_WEB_IDENTITY_TOKEN_FILE=here.write("token", value)
    ),
    "web identity path": lambda here, value: here.set(
        AWS_ROLE_ARN=ROLE, AWS_WEB_IDENTITY_TOKEN_FILE=f"/none/{value}"
    ),
    "role": lambda here, value: here.set(
        AWS_ROLE_ARN=value, AWS_WEB_IDENTITY_TOKEN_FILE=here.write("token", value)
    ),
    "container's address": lambda here, value: here.set(
        AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{NOBODY}/{value}"
    ),
    "container's host": lambda here, value: here.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=value),
    "container's token": lambda here, value: here.set(
        AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{os.environ['AWS_ENDPOINT_URL']}/x",
        AWS_CONTAINER_AUTHORIZATION_TOKEN=value,
    ),
    "container's token file": lambda here, value: here.set(
        AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{os.environ['AWS_ENDPOINT_URL']}/x",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=here.write("token", value),
    ),
    "proxy's password": lambda here, value: proxied(here, f"http://user:{value}@127.0.0.1:1"),
    "proxy": proxied,
    "endpoint": lambda here, value: keys(here, AWS_ENDPOINT_URL=f"{NOBODY}/{value}"),
    "certificates": lambda here, value: keys(here, AWS_CA_BUNDLE=value),
    "Region": lambda here, value: keys(here, AWS_REGION=value),
    "caller": lambda here, value: keys(here, AWS_EXECUTION_ENV=value),
}
"""Every setting in which a secret can stand, rightly or by mistake."""


AROUND = st.text(st.sampled_from("\n\r\t\x00\x1b\x7f\x85\xa0\u202e\ufeff \"'%/:@=[]{}é"), max_size=3)


@pytest.mark.parametrize("plant", PLANTS)
@given(before=AROUND, after=AROUND, is_echoed=st.booleans())
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_r39_no_planted_secret_reaches_the_terminal(
    here: Here, echo: Echo, typed: Type, plant: str, before: str, after: str, *, is_echoed: bool
) -> None:
    """R39: the real SDK is driven with a secret in each setting, at nobody and at a server that quotes it."""
    value = f"{before}{SECRET}{after}"
    with pytest.MonkeyPatch.context() as patch:
        mine = Here(patch, here.home)
        mine.set(AWS_ENDPOINT_URL=echo.address if is_echoed else NOBODY)
        try:
            PLANTS[plant](mine, value)
        except ValueError:
            return  # no variable has a NUL
        result = typed("list", "--json")
    assert leaks(result.output + result.stderr, SECRET) == []
    assert result.exit_code in {Exit.NO_ACCESS, Exit.NOT_NOW}, result.stderr


def test_r39_credentials_that_expire_are_renewed_inside_the_translation() -> None:
    """R39: a source that fails in the middle of a run is named as one that fails at its beginning."""

    class Expiring(Credentials):
        def get_frozen_credentials(self) -> Any:
            raise RefreshWithMFAUnsupportedError(quoted=SECRET)

    found = CheckedCredentials(Source("a source", {}), Expiring("AK", "SK"))
    with pytest.raises(CredentialsError) as caught:
        found.get_deferred_property("account_id")()
    assert str(caught.value).startswith(
        "a source gives no credentials: what it gives is not what the SDK can read"
    )
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ExpiredTokenException", "AWS answers AssumeRoleWithWebIdentity with ExpiredTokenException"),
        (f"{SECRET}", "AWS answers AssumeRoleWithWebIdentity with an unknown error"),
    ],
)
def test_r39_a_source_that_aws_refuses_is_named(
    here: Here, echo: Echo, typed: Type, code: str, said: str
) -> None:
    """R39: of AWS's answer the code alone is told, if it has the form of one: its text quotes the token."""
    echo.code = code
    here.set(AWS_ENDPOINT_URL=echo.address, AWS_ROLE_ARN=ROLE)
    here.set(AWS_WEB_IDENTITY_TOKEN_FILE=here.write("token", SECRET))
    result = typed("list")
    assert (result.exit_code, said in result.stderr, SECRET in result.stderr) == (Exit.NO_ACCESS, True, False)
    assert "AWS_WEB_IDENTITY_TOKEN_FILE gives no credentials" in result.stderr


def test_credentials_of_a_program_sign_requests(aws: LoopbackAws, here: Here, typed: Type) -> None:
    """Where a source gives good credentials they are used, for the SDK's requests and for those of the API."""
    here.config(process(made_keys(Expiration="2999-01-01T00:00:00Z", AccountId="123456789012")), "made")
    here.set(AWS_ENDPOINT_URL=aws.address)
    aws.say("GET /connections", Said(body={"connections": [], "cursor": None}))
    result = typed("list", "--json")
    assert (result.exit_code, result.stdout) == (Exit.DONE, "[]\n"), result.stderr
    [asked] = aws.requests("GET /connections")
    assert "Credential=AK/" in asked.authorization
    identity = Account("us-east-1").whoever_runs_this()
    assert isinstance(identity.credentials, CheckedCredentials)
    assert identity.credentials.get_deferred_property("account_id")() == "123456789012"


def test_an_account_without_settings_says_so(here: Here) -> None:
    """An account that is made by its Region alone has its settings read all the same."""
    here.set(AWS_METADATA_SERVICE_TIMEOUT=SECRET)
    with pytest.raises(SettingsError) as caught:
        Account("us-east-1")
    assert SECRET not in str(caught.value)


def test_an_error_without_a_number_is_told_by_its_class() -> None:
    """The text of an OSError can quote a path, so it is never used."""
    assert strerror(OSError(SECRET)) == "OSError"
