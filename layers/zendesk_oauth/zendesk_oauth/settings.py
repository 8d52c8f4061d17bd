"""What a deployment sets: the one module that reads the environment.

Every function says in `VARIABLES` what it reads, and reads nothing else; a test holds the template to it both ways.
All that is wrong is named in one ConfigurationError, not only the first.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from zendesk_oauth.errors import ConfigurationError
from zendesk_oauth.models.endpoints import ZENDESK_BASE_URL, Endpoints
from zendesk_oauth.models.grant import GRANT_NAME, Grant
from zendesk_oauth.models.install import StartMode
from zendesk_oauth.models.return_to import ORIGIN, ReturnPolicy, origin_of
from zendesk_oauth.models.scopes import covers, parse_scopes
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
}
"""The environment variables of each function."""

_ACCESS_SECONDS = range(300, 172_801)
_REFRESH_SECONDS = range(604_800, 7_776_001)
_USER_SCOPE = "users:read"
_LOCAL_BASE_URL = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}/\{subdomain\}")
_SUPPORT = re.compile(r"https://[^\s<>\"']+|[^\s<>\"'@]+@[^\s<>\"'@]+")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(slots=True)
class Variables:
    """Reads the variables of one function and collects what is wrong with them."""

    function: str
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)  # noqa: TID251 - this is the place
    problems: list[str] = field(default_factory=list)

    def read[T](self, name: str, parse: Callable[[str], T], fallback: T) -> T:
        """Return the parsed value; where parse raises ValueError, note why and return the fallback."""
        if name not in VARIABLES[self.function]:
            raise KeyError(f"{self.function} does not declare {name}")
        try:
            return parse(self.environ.get(name, "").strip())
        except ValueError as error:
            self.problems.append(f"{name} {error}")
            return fallback

    def text(self, name: str) -> str:
        """Return a text that must not be empty."""
        return self.read(name, _present, "")

    def finish[T](self, settings: T) -> T:
        """Return the settings, or raise ConfigurationError with every problem."""
        if self.problems:
            raise ConfigurationError(tuple(self.problems))
        return settings

    @property
    def is_local(self) -> bool:
        """Whether this is the local stack, the one stage that may speak plain HTTP to loopback."""
        return self.environ.get("STAGE") == LOCAL_STAGE


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """What every part of the install flow needs to know."""

    mode: StartMode
    endpoints: Endpoints
    grants: Mapping[str, Grant]
    return_policy: ReturnPolicy
    required_roles: frozenset[str]
    installs_table: str

    @classmethod
    def read(cls, variables: Variables) -> "FlowSettings":
        """Read them; problems stay with `variables`."""
        mode = variables.read("START_MODE", _start_mode, StartMode.OPEN)
        site_url = variables.read("SITE_URL", _site_url(variables, mode), None)
        origins: frozenset[str] = variables.read("ALLOWED_RETURN_ORIGINS", _origins(variables), frozenset())
        return cls(
            mode=mode,
            endpoints=Endpoints(
                zendesk_base_url(variables),
                variables.read("PUBLIC_BASE_URL", _public_base_url(variables), ""),
            ),
            grants=variables.read("GRANTS", parse_grants, {}),
            return_policy=ReturnPolicy(site_url, origins),
            required_roles=variables.read("REQUIRED_ROLES", _roles, frozenset()),
            installs_table=variables.text("INSTALLS_TABLE"),
        )


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What the pages say of the company: its name, and an e-mail address or an https URL for help."""

    company_name: str
    support_address: str

    @classmethod
    def read(cls, variables: Variables) -> "PageSettings":
        """Read them; problems stay with `variables`."""
        return cls(variables.text("COMPANY_NAME"), variables.read("SUPPORT_ADDRESS", _support_address, ""))


@dataclass(frozen=True, slots=True)
class SealSettings:
    """What names a sealed value's place, beside its grant, subdomain and field."""

    application: str
    stage: str
    token_key_arn: str

    @classmethod
    def read(cls, variables: Variables) -> "SealSettings":
        """Read them; problems stay with `variables`."""
        return cls(
            variables.read("APPLICATION", _name, ""),
            variables.read("STAGE", _name, ""),
            variables.text("TOKEN_KEY_ARN"),
        )


def token_lifetimes(variables: Variables) -> TokenLifetimes:
    """Read the lifetimes that are asked for, in seconds, within Zendesk's limits."""
    access = variables.read("ACCESS_TOKEN_SECONDS", _seconds_in(_ACCESS_SECONDS), _ACCESS_SECONDS[0])
    refresh = variables.read("REFRESH_TOKEN_SECONDS", _seconds_in(_REFRESH_SECONDS), _REFRESH_SECONDS[0])
    return TokenLifetimes(timedelta(seconds=access), timedelta(seconds=refresh))


def zendesk_base_url(variables: Variables) -> str:
    """Read the base address of Zendesk: its own, or on the local stage alone a stand-in on loopback."""

    def parse(text: str) -> str:
        if text == ZENDESK_BASE_URL or (variables.is_local and _LOCAL_BASE_URL.fullmatch(text)):
            return text
        raise ValueError(f"must be {ZENDESK_BASE_URL}")

    return variables.read("ZENDESK_BASE_URL", parse, ZENDESK_BASE_URL)


def parse_grants(text: str) -> Mapping[str, Grant]:
    """Return the grants of `name=scope scope;name=scope`. Raises ValueError, naming the first thing that is wrong.

    Each needs `users:read` or `read`: who pressed Allow is asked with the new token itself.
    """
    grants: dict[str, Grant] = {}
    for part in _present(text).split(";"):
        name, _, scopes = part.strip().partition("=")
        if not GRANT_NAME.fullmatch(name) or name in grants:
            raise ValueError(f"needs different names of [a-z0-9-] before each '=', not {name!r}")
        try:
            grant = Grant(name, parse_scopes(scopes))
        except ValueError as error:
            raise ValueError(f"has a mistake in grant {name!r}: {error}") from error
        if not covers(grant.scopes, _USER_SCOPE):
            raise ValueError(f"needs {_USER_SCOPE} or read in grant {name!r}, to see who pressed Allow")
        grants[name] = grant
    return grants


def _present(text: str) -> str:
    if not text:
        raise ValueError("is missing")
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must be 1 to 32 characters of [a-z0-9-], a letter first")
    return text


def _start_mode(text: str) -> StartMode:
    try:
        return StartMode(text)
    except ValueError:
        raise ValueError("must be 'open' or 'confirmed'") from None


def _roles(text: str) -> frozenset[str]:
    return frozenset(_present(text).split())


def _support_address(text: str) -> str:
    if not _SUPPORT.fullmatch(text):
        raise ValueError("must be an e-mail address or an https URL")
    return text


def _seconds_in(limits: range) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) not in limits:
            raise ValueError(f"must be a whole number of seconds from {limits[0]} to {limits[-1]}")
        return int(text)

    return parse


def _is_web_address(origin: str | None, variables: Variables) -> bool:
    return origin is not None and (origin.startswith("https://") or variables.is_local)


def _public_base_url(variables: Variables) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not ORIGIN.fullmatch(text) or not _is_web_address(text, variables):
            raise ValueError("must be an https origin, such as https://connect.example.com")
        return text

    return parse


def _site_url(variables: Variables, mode: StartMode) -> Callable[[str], str | None]:
    def parse(text: str) -> str | None:
        if not text and mode is StartMode.OPEN:
            return None
        if not _is_web_address(origin_of(text), variables):
            raise ValueError("must be an https URL; in confirmed mode it is needed to come back to")
        return text

    return parse


def _origins(variables: Variables) -> Callable[[str], frozenset[str]]:
    def parse(text: str) -> frozenset[str]:
        origins = text.split()
        wrong = [o for o in origins if not ORIGIN.fullmatch(o) or not _is_web_address(o, variables)]
        if wrong:
            raise ValueError(f"must be https origins, which {wrong[0]!r} is not")
        return frozenset(origins)

    return parse
