"""What a deployment sets: the one module that reads the environment.

Every function says in `VARIABLES` what it reads, and reads nothing else; a test holds the template to it both ways.
All that is wrong is named in one ConfigurationError, not only the first.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from zendesk_oauth.errors import ConfigurationError
from zendesk_oauth.models.endpoints import START_PATH, ZENDESK_BASE_URL
from zendesk_oauth.models.return_to import origin_of
from zendesk_oauth.models.tokens import TokenLifetimes

LOCAL_STAGE = "local"
_COMMON = frozenset(
    {
        "APPLICATION",
        "STAGE",
        "POWERTOOLS_LOG_LEVEL",
        "POWERTOOLS_METRICS_NAMESPACE",
        "POWERTOOLS_SERVICE_NAME",
    }
)
_FLOW = frozenset(
    {
        "ALLOWED_RETURN_ORIGINS",
        "GRANTS",
        "INSTALLS_TABLE",
        "PUBLIC_BASE_URL",
        "REQUIRED_ROLES",
        "SITE_URL",
        "START_MODE",
        "ZENDESK_BASE_URL",
    }
)
_PAGES = frozenset({"COMPANY_NAME", "SUPPORT_ADDRESS"})
VARIABLES: Mapping[str, frozenset[str]] = {
    "start": _COMMON | _FLOW | _PAGES | {"ZENDESK_CLIENT_ID"},
    "callback": _COMMON
    | _FLOW
    | _PAGES
    | {
        "ACCESS_TOKEN_SECONDS",
        "CLIENT_SECRET_ARN",
        "CONNECTIONS_TABLE",
        "REFRESH_TOKEN_SECONDS",
        "TOKEN_KEY_ARN",
        "ZENDESK_CLIENT_ID",
    },
    "installs": _COMMON | _FLOW | {"CONNECTIONS_TABLE"},
    "revoke": _COMMON | {"INSTALLS_TABLE", "TOKEN_KEY_ARN", "ZENDESK_BASE_URL"},
    "refresh": _COMMON
    | {
        "ACCESS_TOKEN_SECONDS",
        "CLIENT_SECRET_ARN",
        "CONNECTIONS_TABLE",
        "REFRESH_FUNCTION",
        "REFRESH_TOKEN_SECONDS",
        "RESCUE_QUEUE_URL",
        "TOKEN_KEY_ARN",
        "ZENDESK_BASE_URL",
        "ZENDESK_CLIENT_ID",
    },
    "connections": _COMMON
    | {
        "CONNECTIONS_TABLE",
        "GRANTS",
        "PUBLIC_BASE_URL",
        "REFRESH_FUNCTION",
        "START_MODE",
        "TOKEN_KEY_ARN",
    },
    "publish": _COMMON | {"EVENT_BUS", "PUBLIC_BASE_URL", "START_MODE", "UNPUBLISHED_QUEUE_URL"},
}
"""The environment variables of each function."""
WORKER_VARIABLES = frozenset(
    {
        "APPLICATION",
        "BASE_URL",
        "CONNECTIONS_TABLE",
        "REFRESH_FUNCTION",
        "STAGE",
        "START_URL",
        "TOKEN_KEY_ARN",
    }
)
"""Those of a worker, which has them in a stack of its own: each begins with WORKER_PREFIX there."""
WORKER_PREFIX = "ZENDESK_OAUTH_"
_DECLARED = {**VARIABLES, "worker": WORKER_VARIABLES}

_ACCESS_SECONDS = range(300, 172_801)
_REFRESH_SECONDS = range(604_800, 7_776_001)
_LOCAL_BASE_URL = re.compile(r"http://(?:127\.0\.0\.1|host\.docker\.internal):[0-9]{1,5}/\{subdomain\}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_BLANKS = " \t\n"
"""What is removed around a value. A carriage return is not: it says that all of its file has Windows line ends."""
_ANY_LANGUAGE = frozenset({"COMPANY_NAME", "SUPPORT_ADDRESS"})
_MAY_QUOTE = frozenset({"COMPANY_NAME"})
"""A company's name may begin with an apostrophe; an address of any language may not."""
_QUOTES = frozenset("\"'`")


@dataclass(slots=True)
class Variables:
    """Reads the variables of one function and collects what is wrong with them.

    `prefix` begins the names in the environment, where they stand among somebody else's.
    """

    function: str
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)  # noqa: TID251 - this is the place
    problems: list[str] = field(default_factory=list)
    prefix: str = ""

    def read[T](self, name: str, parse: Callable[[str], T], fallback: T) -> T:
        """Return the parsed value; where parse raises ValueError, note why and return the fallback."""
        if name not in _DECLARED[self.function]:
            raise KeyError(f"{self.function} does not declare {name}")
        full_name = f"{self.prefix}{name}"
        try:
            return parse(_intact(name, self.environ.get(full_name, "").strip(_BLANKS)))
        except ValueError as error:
            self.problems.append(f"{full_name} {self._misnamed(full_name) or error}")
            return fallback

    def text(self, name: str) -> str:
        """Return a text that must not be empty and has no space inside: a name, an ARN, a URL."""
        return self.read(name, _unbroken, "")

    def finish[T](self, settings: T) -> T:
        """Return the settings, or raise ConfigurationError with every problem, the stage's among them."""
        self.read("STAGE", _name, "")
        if self.problems:
            raise ConfigurationError(tuple(dict.fromkeys(self.problems)))
        return settings

    @property
    def is_local(self) -> bool:
        """Whether this is the local stack, the one stage that may speak plain HTTP to loopback.

        A stage that is damaged counts as what it was meant to be, so that no other variable is blamed for it:
        `finish` rejects it.
        """
        return self.environ.get(f"{self.prefix}STAGE", "").strip() == LOCAL_STAGE

    def _misnamed(self, full_name: str) -> str | None:
        from zendesk_oauth.models.text_damage import misnamed  # noqa: PLC0415 - a good start never loads it

        return misnamed(full_name, self.environ)


@dataclass(frozen=True, slots=True)
class SealSettings:
    """What names a sealed value's place, beside its grant, subdomain and field."""

    application: str
    stage: str
    token_key_arn: str

    @classmethod
    def read(cls, variables: Variables) -> "SealSettings":
        """Read them; problems stay with `variables`."""
        return cls(*deployment_names(variables), variables.text("TOKEN_KEY_ARN"))


class WorkerSettings(NamedTuple):
    """What a worker needs to find the tokens of a deployment. `start_url` is where an admin connects again, if open."""

    seal: SealSettings
    connections_table: str
    refresh_function: str
    start_url: str | None
    zendesk_base_url: str

    @classmethod
    def read(cls, environ: Mapping[str, str] | None) -> "WorkerSettings":
        """Read the `ZENDESK_OAUTH_…` variables, of the process unless others are given. Raises ConfigurationError."""
        variables = Variables("worker", prefix=WORKER_PREFIX)
        if environ is not None:
            variables.environ = environ
        base_url = _base_url(variables)
        settings = cls(
            seal=SealSettings.read(variables),
            connections_table=variables.text("CONNECTIONS_TABLE"),
            refresh_function=variables.text("REFRESH_FUNCTION"),
            start_url=variables.read("START_URL", _start_url(variables), None),
            zendesk_base_url=variables.read(
                "BASE_URL", lambda text: base_url(text or ZENDESK_BASE_URL), ZENDESK_BASE_URL
            ),
        )
        return variables.finish(settings)


def deployment_names(variables: Variables) -> tuple[str, str]:
    """Read application and stage, which name the deployment in seals and events."""
    return variables.read("APPLICATION", _name, ""), variables.read("STAGE", _name, "")


def token_lifetimes(variables: Variables) -> TokenLifetimes:
    """Read the lifetimes that are asked for, in seconds, within Zendesk's limits."""
    access = variables.read("ACCESS_TOKEN_SECONDS", _seconds_in(_ACCESS_SECONDS), _ACCESS_SECONDS[0])
    refresh = variables.read("REFRESH_TOKEN_SECONDS", _seconds_in(_REFRESH_SECONDS), _REFRESH_SECONDS[0])
    return TokenLifetimes(timedelta(seconds=access), timedelta(seconds=refresh))


def zendesk_base_url(variables: Variables) -> str:
    """Read the base address of Zendesk: its own, or on the local stage alone a stand-in on loopback."""
    return variables.read("ZENDESK_BASE_URL", _base_url(variables), ZENDESK_BASE_URL)


def _base_url(variables: Variables) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text == ZENDESK_BASE_URL or (variables.is_local and _LOCAL_BASE_URL.fullmatch(text)):
            return text
        here = " or, on this stage, http://127.0.0.1:PORT/{subdomain} (in a container, host.docker.internal)"
        raise ValueError(f"must be {ZENDESK_BASE_URL}{here if variables.is_local else ''}")

    return parse


def _start_url(variables: Variables) -> Callable[[str], str | None]:
    def parse(text: str) -> str | None:
        if not text:
            return None
        if not text.endswith(START_PATH) or not is_web_address(origin_of(text), variables):
            raise ValueError(f"must be empty, or an https URL that ends with {START_PATH}")
        return text

    return parse


def present(text: str) -> str:
    """Return a text that is there. Raises ValueError."""
    if not text:
        raise ValueError("is missing")
    return text


def _intact(name: str, text: str) -> str:
    """Return a value without a trace of the file or shell that it came through. Raises ValueError, naming the trace."""
    if text.isascii() and text.isprintable() and text[:1] not in _QUOTES and text[-1:] not in _QUOTES:
        return text
    from zendesk_oauth.models.text_damage import damage_in  # noqa: PLC0415 - as above

    if damage := damage_in(text, is_ascii=name not in _ANY_LANGUAGE, may_quote=name in _MAY_QUOTE):
        raise ValueError(damage)
    return text


def _unbroken(text: str) -> str:
    if " " in present(text):
        raise ValueError("has a space inside")
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must be 1 to 32 characters of [a-z0-9-], a letter first")
    return text


def _seconds_in(limits: range) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) not in limits:
            raise ValueError(f"must be a whole number of seconds from {limits[0]} to {limits[-1]}")
        return int(text)

    return parse


def is_web_address(origin: str | None, variables: Variables) -> bool:
    """Whether a browser may be sent there: over HTTPS, or on the local stage."""
    return origin is not None and (origin.startswith("https://") or variables.is_local)
