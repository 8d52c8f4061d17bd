"""The company's own backend, as far as installs concern it: it invites and confirms, with signed requests."""

from dataclasses import dataclass
from typing import Self

import requests

from local.caller import Caller
from local.deployment import Deployment
from local.ministack import Emulator


@dataclass(frozen=True, slots=True)
class Backend:
    """Calls the API with the deployment's BackendPolicy."""

    caller: Caller

    @classmethod
    def of(cls, emulator: Emulator, deployment: Deployment) -> Self:
        """Make a user with the deployment's policy for backends, and return a backend with its key."""
        return cls(Caller.of(emulator, deployment, "BackendPolicyArn"))

    def invite(self, user: str, **options: str) -> requests.Response:
        """Ask for an invitation of this user; `options` are grant, subdomain and return_to."""
        return self.post("/invitations", {"user": user, **options})

    def confirm(self, handle: str, user: str) -> requests.Response:
        """Say who is signed in where this handle arrived."""
        return self.post(f"/installs/{handle}/confirm", {"user": user})

    def post(self, path: str, body: object, *, signed: bool = True) -> requests.Response:
        """Send JSON, signed unless asked otherwise, and return the answer."""
        return self.caller.send("POST", path, body, signed=signed)
