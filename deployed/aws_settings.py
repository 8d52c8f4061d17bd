"""Reads the AWS settings of this machine, and names the setting that cannot be used.

The rule: a message names the variable, the profile or the file that is wrong, and never quotes a value or the text of
the SDK. Both can hold a token: a header that is refused quotes the Authorization line, a parser quotes the line.
"""

import os
import re
import ssl
from collections.abc import Iterator
from configparser import MissingSectionHeaderError, ParsingError
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)
from botocore.exceptions import ConnectionError as SdkConnectionError
from botocore.session import Session

FILES = (("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
"""Each file of settings: the variable that names it, and where it is without that."""
PROFILE_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
"""In the order in which botocore reads them."""
_REGION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""One DNS label, because a Region is part of every host name."""
_SHOWN_NAME = re.compile(r"[\w.@+-]{1,64}", re.ASCII)


class SettingsError(BotoCoreError):
    """A setting cannot be used; `problem` names it without its value."""

    fmt = "{problem}"


class RegionMissingError(NoRegionError):
    """Nothing says in which Region to look."""

    fmt = "no Region is set; AWS_REGION names one"


class CertificatesError(SdkConnectionError):
    """The certificates by which AWS is to be recognized cannot be read."""

    fmt = "{problem}"


@contextmanager
def settings_errors() -> Iterator[None]:
    """Raise SettingsError for whatever the SDK raises about settings; errors of network and credentials pass."""
    try:
        yield
    except (
        SettingsError,
        NoRegionError,
        NoCredentialsError,
        SdkConnectionError,
        HTTPClientError,
        ClientError,
    ):
        raise
    except ProfileNotFound:
        problem = f"{_profile_source()} names a profile that is in neither {_places()}"
        raise SettingsError(problem=problem) from None
    except ConfigParseError as error:
        raise SettingsError(problem=_unparsed(error)) from None
    except Exception as error:  # noqa: BLE001 - the SDK checks some settings with int(), and quotes them
        problem = (
            f"the AWS settings cannot be used ({type(error).__name__}); "
            f"look at the variables that begin with AWS_, and at {profile_name(None)}"
        )
        raise SettingsError(problem=problem) from None


def read_region(session: Session) -> str:
    """Return the Region of the usual settings. Raises RegionMissingError, and SettingsError for what is no Region."""
    _check_files()
    with settings_errors():
        session.get_scoped_config()  # an unknown profile is an error also where no profile is needed
        set_by = next((name for name in ("AWS_REGION", "AWS_DEFAULT_REGION") if os.environ.get(name)), None)
        region = os.environ[set_by] if set_by else session.get_config_variable("region")
    if not region:
        raise RegionMissingError
    if not _REGION.fullmatch(region):
        name = set_by or f"`region` of {profile_name(session)}"
        raise SettingsError(problem=f"{name} is no Region; a Region looks like eu-central-1")
    return str(region)


def read_endpoint_url() -> str | None:
    """Return the address of an emulator, or None. Raises SettingsError for what is no address."""
    endpoint_url = os.environ.get("AWS_ENDPOINT_URL") or None
    if endpoint_url and not _is_address(endpoint_url):
        raise SettingsError(
            problem="AWS_ENDPOINT_URL is no address; unset it, or name an emulator by http://127.0.0.1:PORT"
        )
    return endpoint_url


def read_certificates(session: Session) -> str | None:
    """Return the file or folder of certificates that AWS is recognized by, or None for the SDK's own.

    Raises CertificatesError where they cannot be read.
    """
    path = session.get_config_variable("ca_bundle")
    if not path:
        return None
    named_by = (
        "AWS_CA_BUNDLE" if os.environ.get("AWS_CA_BUNDLE") else f"`ca_bundle` of {profile_name(session)}"
    )
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(**{"capath" if Path(path).is_dir() else "cafile": path})
    except (OSError, ValueError) as error:
        is_content = isinstance(error, ssl.SSLError) or not isinstance(error, OSError)
        why = "it has no certificates" if is_content else strerror(error)
        raise CertificatesError(problem=f"{named_by} cannot be used: {why}") from None
    return str(path)


def profile_name(session: Session | None) -> str:
    """Return how a message names the profile in use: by its name where the files have it, else by its variable."""
    variable = _profile_variable()
    if variable is None:
        return "the default profile"
    name = os.environ[variable]
    is_known = session is not None and name in session.available_profiles
    return f"the profile {name}" if is_known and _SHOWN_NAME.fullmatch(name) else f"the profile of {variable}"


def strerror(error: Exception) -> str:
    """Return the system's own words for an OSError, without the path that its text may have; else the class."""
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number else type(error).__name__


def file_name(variable: str, usual: str) -> str:
    """Return how a message names a file: by the variable that names it, where that is set."""
    return f"the file of {variable}" if os.environ.get(variable) else usual


def _check_files() -> None:
    """Raise SettingsError for a file that is there and cannot be read: the SDK passes over it in silence."""
    for variable, usual in FILES:
        path = Path(os.path.expandvars(os.environ.get(variable) or usual))
        try:
            path = path.expanduser()
            mode = path.stat().st_mode
            if S_ISREG(mode) or S_ISDIR(mode):
                with path.open("rb") as file:
                    file.read(1)
        except (FileNotFoundError, NotADirectoryError):
            continue  # which is the same as an empty one
        except (OSError, RuntimeError) as error:  # RuntimeError: no home folder
            why = strerror(error) if isinstance(error, OSError) else "there is no home folder"
            raise SettingsError(problem=f"{file_name(variable, usual)} cannot be read: {why}") from None


def _unparsed(error: ConfigParseError) -> str:
    """Say which file it is, and in which line its first mistake stands; never what the line says."""
    path, cause = str(error.kwargs.get("path")), error.kwargs.get("error")
    named = next(
        (
            file_name(variable, usual)
            for variable, usual in FILES
            if str(Path(os.path.expandvars(os.environ.get(variable) or usual)).expanduser()) == path
        ),
        " or ".join(file_name(*each) for each in FILES),
    )
    return f"{named} is no file of AWS settings{_line_of(cause)}"


def _line_of(cause: object) -> str:
    if isinstance(cause, MissingSectionHeaderError):
        return f": line {cause.lineno} stands before the first [profile]"
    if isinstance(cause, ParsingError) and cause.errors:
        return f": line {cause.errors[0][0]} is neither a [profile] nor a setting"
    number = getattr(cause, "lineno", None)
    return f": line {number} repeats a name" if isinstance(number, int) else ""


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"} and bool(parts.hostname) and text.isprintable() and " " not in text
    )


def _profile_variable() -> str | None:
    return next((name for name in PROFILE_VARIABLES if os.environ.get(name)), None)


def _profile_source() -> str:
    return _profile_variable() or "the setting `profile`"


def _places() -> str:
    return " nor ".join(file_name(*each) for each in FILES)
