"""The account that is looked at: clients for an identity, and signed requests to the API.

The rule: every call goes to one Region with one identity's credentials, and is made once, so that a refusal is counted
as what it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from botocore.session import Session

_TIMEOUT_SECONDS = 30
_CONFIG = Config(connect_timeout=5, read_timeout=_TIMEOUT_SECONDS, retries={"total_max_attempts": 3})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: a name for the report, and credentials; None is whoever runs this, by the usual settings."""

    name: str
    credentials: Credentials | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """One Region of one account; `endpoint_url` is for an emulator."""

    region: str
    session: Session = field(default_factory=Session)
    endpoint_url: str | None = None

    def client(self, service: str, identity: Identity | None = None) -> Any:  # noqa: ANN401 - every service there is
        """Return a client with the identity's credentials, or with those of whoever runs this."""
        given: dict[str, Any] = {}
        if identity and identity.credentials:
            own = identity.credentials
            given = {
                "aws_access_key_id": own.access_key,
                "aws_secret_access_key": own.secret_key,
                "aws_session_token": own.token,
            }
        return self.session.create_client(
            service, region_name=self.region, endpoint_url=self.endpoint_url, config=_CONFIG, **given
        )


@dataclass(frozen=True, slots=True)
class Api:
    """The HTTP API at an address; `host` is what is signed and sent where that differs from the address."""

    address: str
    region: str
    host: str | None = None
    send: Callable[[Any], AWSResponse] = field(
        default_factory=lambda: URLLib3Session(timeout=_TIMEOUT_SECONDS).send
    )

    def get(self, path: str, identity: Identity | None) -> AWSResponse:
        """Send a GET, signed by the identity, or not signed at all where it is None."""
        headers: Mapping[str, str] = {"Host": self.host} if self.host else {}
        request = AWSRequest("GET", f"{self.address}{path}", dict(headers))
        if identity and identity.credentials:
            SigV4Auth(identity.credentials, "execute-api", self.region).add_auth(request)
        return self.send(request.prepare())
