"""The HTTP API of a deployment: signed requests, each sent once, so that a refusal is counted as what it is."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from deployed.account import Account, Identity
from deployed.stack import DeployedStack

_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Api:
    """The HTTP API at an address; `host` is what is signed and sent where that differs from the address."""

    address: str
    region: str
    host: str | None = None
    send: Callable[[Any], AWSResponse] = field(
        default_factory=lambda: URLLib3Session(timeout=_TIMEOUT_SECONDS).send
    )

    @classmethod
    def of(cls, stack: DeployedStack, account: Account) -> Self:
        """Return the API of a stack: at its own address, or at an emulator that tells APIs apart by Host."""
        if account.endpoint_url:
            port = urlsplit(account.endpoint_url).port
            host = f"{stack.outputs['ApiId']}.execute-api.localhost:{port}"
            return cls(account.endpoint_url.rstrip("/"), account.region, host)
        address = stack.address(account.region)
        verify: Any = account.certificates or True  # the stub knows no path
        proxies = get_environ_proxies(address)
        session = URLLib3Session(verify=verify, timeout=_TIMEOUT_SECONDS, proxies=proxies)
        return cls(address, account.region, send=session.send)

    def get(self, path: str, identity: Identity | None) -> AWSResponse:
        """Send a GET, signed by the identity, or not signed at all where it is None."""
        return self.request("GET", path, identity)

    def request(
        self, method: str, path: str, identity: Identity | None, body: Mapping[str, object] | None = None
    ) -> AWSResponse:
        """Send a request, with JSON where there is a body, and return whatever is answered: no redirect is followed."""
        headers = {"Host": self.host} if self.host else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        request = AWSRequest(method, f"{self.address}{path}", headers, data)
        if identity and identity.credentials:
            keys = identity.credentials.get_frozen_credentials()
            SigV4Auth(keys, "execute-api", self.region).add_auth(request)
        return self.send(request.prepare())
