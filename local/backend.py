"""The company's own backend, as far as installs concern it: it invites and confirms, with signed requests.

The rule: it holds the deployment's BackendPolicy and nothing else, as a user of the emulated account.
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


@dataclass(frozen=True, slots=True)
class Backend:
    """Calls the API as AWS would have it called: the signature names the API's own host."""

    address: str
    host: str
    credentials: Credentials

    @classmethod
    def of(cls, emulator: Emulator, deployment: Deployment) -> Self:
        """Make a user with the deployment's policy for backends, and return a backend with its key."""
        iam = emulator.client("iam")
        name = f"{deployment.order.application}-backend"
        iam.create_user(UserName=name)
        iam.attach_user_policy(UserName=name, PolicyArn=deployment.outputs["BackendPolicyArn"])
        key = iam.create_access_key(UserName=name)["AccessKey"]
        credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
        return cls(emulator.address, deployment.host(emulator.port), credentials)

    def invite(self, user: str, **options: str) -> requests.Response:
        """Ask for an invitation of this user; `options` are grant, subdomain and return_to."""
        return self.post("/invitations", {"user": user, **options})

    def confirm(self, handle: str, user: str) -> requests.Response:
        """Say who is signed in where this handle arrived."""
        return self.post(f"/installs/{handle}/confirm", {"user": user})

    def post(self, path: str, body: object, *, signed: bool = True) -> requests.Response:
        """Send JSON, signed unless asked otherwise, and return the answer."""
        text = json.dumps(body)
        url = f"{self.address}{path}"
        request = AWSRequest("POST", url, {"Host": self.host}, text)
        request.headers["Content-Type"] = "application/json"
        if signed:
            SigV4Auth(self.credentials, _SERVICE, REGION).add_auth(request)
        with requests.Session() as session:
            session.trust_env = False  # neither a proxy nor a .netrc of this machine
            return session.post(url, text, headers=dict(request.headers), timeout=_TIMEOUT_SECONDS)
