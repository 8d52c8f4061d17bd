"""Somebody in the emulated account who calls a deployment's API, with requests signed as AWS would have them.

The rule: a caller holds one of the policies that the template offers to others, and nothing else.
"""

import json
from dataclasses import dataclass
from typing import Self

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.deployment import Deployment
from local.ministack import REGION, Emulator

_TIMEOUT_SECONDS = 30
_SERVICE = "execute-api"


def user_with(emulator: Emulator, deployment: Deployment, policy: str) -> Credentials:
    """Make a user with the policy that this output of the stack names, and return its key."""
    iam = emulator.client("iam")
    name = f"{deployment.order.application}-{policy}"
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=deployment.outputs[policy])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls the API at the emulator: the signature names the API's own host."""

    address: str
    host: str
    credentials: Credentials

    @classmethod
    def of(cls, emulator: Emulator, deployment: Deployment, policy: str) -> Self:
        """Return somebody new who has the policy that this output of the stack names."""
        credentials = user_with(emulator, deployment, policy)
        return cls(emulator.address, deployment.host(emulator.port), credentials)

    def send(self, method: str, path: str, body: object = None, *, signed: bool = True) -> requests.Response:
        """Send a request, with JSON unless there is no body, signed unless asked otherwise; return the answer."""
        text = None if body is None else json.dumps(body)
        url = f"{self.address}{path}"
        request = AWSRequest(method, url, {"Host": self.host}, text)
        if text is not None:
            request.headers["Content-Type"] = "application/json"
        if signed:
            SigV4Auth(self.credentials, _SERVICE, REGION).add_auth(request)
        with requests.Session() as session:
            session.trust_env = False  # neither a proxy nor a .netrc of this machine
            headers = dict(request.headers)
            return session.request(method, url, data=text, headers=headers, timeout=_TIMEOUT_SECONDS)
