"""What the install flow is told: who may start, where Zendesk sends people back, what is asked for, what pages say."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.grant import DEFAULT_GRANT, GRANT_NAME, Grant
from zendesk_oauth.models.install import StartMode
from zendesk_oauth.models.return_to import ORIGIN, ReturnPolicy, origin_of
from zendesk_oauth.models.scopes import covers, parse_scopes
from zendesk_oauth.settings import Variables, is_web_address, present, zendesk_base_url

_USER_SCOPE = "users:read"
_SUPPORT = re.compile(r"https://[^\s<>\"']+|[^\s<>\"'@]+@[^\s<>\"'@]+")


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
        mode = start_mode(variables)
        site_url = variables.read("SITE_URL", _site_url(variables, mode), None)
        origins: frozenset[str] = variables.read("ALLOWED_RETURN_ORIGINS", _origins(variables), frozenset())
        return cls(
            mode=mode,
            endpoints=Endpoints(zendesk_base_url(variables), public_base_url(variables)),
            grants=variables.read("GRANTS", parse_grants, {}),
            return_policy=ReturnPolicy(site_url, origins),
            required_roles=variables.read("REQUIRED_ROLES", _roles, frozenset()),
            installs_table=variables.text("INSTALLS_TABLE"),
        )


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What the pages say of the company: its name, an e-mail address or an https URL for help, and where to go on.

    `start_url` begins an install of the default grant, or is None where an invitation is needed or there is no such
    grant. `site_url` is the company's own page, or None where the deployment names none.
    """

    company_name: str
    support_address: str
    start_url: str | None = None
    site_url: str | None = None

    @classmethod
    def read(cls, variables: Variables, flow: FlowSettings) -> "PageSettings":
        """Read them; problems stay with `variables`."""
        is_open = flow.mode is StartMode.OPEN and DEFAULT_GRANT in flow.grants
        return cls(
            variables.read("COMPANY_NAME", present, ""),
            variables.read("SUPPORT_ADDRESS", _support_address, ""),
            flow.endpoints.start if is_open else None,
            flow.return_policy.site_url,
        )


def start_mode(variables: Variables) -> StartMode:
    """Read who may start an install."""
    return variables.read("START_MODE", _start_mode, StartMode.OPEN)


def public_base_url(variables: Variables) -> str:
    """Read the origin under which this deployment is reached."""
    return variables.read("PUBLIC_BASE_URL", _public_base_url(variables), "")


def parse_grants(text: str) -> Mapping[str, Grant]:
    """Return the grants of `name=scope scope;name=scope`. Raises ValueError, naming the first thing that is wrong.

    Each needs `users:read` or `read`: who pressed Allow is asked with the new token itself.
    """
    grants: dict[str, Grant] = {}
    for number, part in enumerate(present(text).split(";"), 1):
        name, _, scopes = part.strip().partition("=")
        if not GRANT_NAME.fullmatch(name) or name in grants:
            raise ValueError(
                f"needs different names of [a-z0-9-] before each '=', which number {number} has not"
            )
        try:
            grant = Grant(name, parse_scopes(scopes))
        except ValueError as error:
            raise ValueError(f"has a mistake in grant {name!r}: {error}") from error
        if not covers(grant.scopes, _USER_SCOPE):
            raise ValueError(f"needs {_USER_SCOPE} or read in grant {name!r}, to see who pressed Allow")
        grants[name] = grant
    return grants


def _start_mode(text: str) -> StartMode:
    try:
        return StartMode(text)
    except ValueError:
        raise ValueError("must be 'open' or 'confirmed'") from None


def _roles(text: str) -> frozenset[str]:
    return frozenset(present(text).split())


def _support_address(text: str) -> str:
    if not _SUPPORT.fullmatch(text):
        raise ValueError("must be an e-mail address or an https URL")
    return text


def _public_base_url(variables: Variables) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not ORIGIN.fullmatch(text) or not is_web_address(text, variables):
            raise ValueError("must be an https origin, such as https://connect.example.com")
        return text

    return parse


def _site_url(variables: Variables, mode: StartMode) -> Callable[[str], str | None]:
    def parse(text: str) -> str | None:
        if not text and mode is StartMode.OPEN:
            return None
        if not is_web_address(origin_of(text), variables):
            raise ValueError("must be an https URL; in confirmed mode it is needed to come back to")
        return text

    return parse


def _origins(variables: Variables) -> Callable[[str], frozenset[str]]:
    def parse(text: str) -> frozenset[str]:
        origins = text.split()
        for number, origin in enumerate(origins, 1):
            if not ORIGIN.fullmatch(origin) or not is_web_address(origin, variables):
                raise ValueError(f"must be https origins, which number {number} is not")
        return frozenset(origins)

    return parse
