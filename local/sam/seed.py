"""`python -m local.sam.seed`, which is `make seed`: the rows, codes and tokens that the files of `events/` refer to.

It starts over each time: the installs and the connections of both deployments are removed, and what the events need is
written again. The rows live for a day, so that there is time to try one event after the other.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import requests
from botocore.exceptions import BotoCoreError, ClientError

from local.sam import example_installs as examples
from local.sam.settings import API_ADDRESS
from local.zendesk.person import approve
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.services.authorization_request import BrowserBinding, authorization_url

STACKS = {"open": "zendesk-oauth-open", "confirmed": "zendesk-oauth-confirmed"}
CODE = "b1c2d3e4f5a6978869504132231405f6"
"""The authorization code of `events/callback/`."""
CONNECTED = "acme"
"""The account whose connection the events of `refresh` and `connections` name."""
_LIFE = timedelta(days=1)
_SECONDS_OLD = 3600
"""A token is not looked into within the first minute after it was issued."""
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Seed:
    """Writes to one deployment. `clients` makes clients of the emulator; `zendesk` is the fake's address."""

    clients: Any
    zendesk: str
    client_id: str
    outputs: Mapping[str, str]

    def installs(self) -> None:
        """Replace all installs by the examples'."""
        client, table = self.clients("dynamodb"), self.outputs["InstallsTableName"]
        self._remove_all("InstallsTableName", "install_id")
        examples.seed(DynamoDBInstallStore(client, table), _LIFE)
        later = str(int((datetime.now(UTC) + _LIFE).timestamp()))
        client.update_item(  # a commit's id makes its transaction unique: the example's is the same each time
            TableName=table,
            Key={"install_id": {"S": examples.install_id(examples.CANDIDATE)}},
            UpdateExpression="SET commit_id = :fresh, expires_at = :later, revoke_at = :later",
            ExpressionAttributeValues={":fresh": {"S": uuid4().hex}, ":later": {"N": later}},
        )

    def code(self) -> None:
        """Have an admin allow the example's install, and let the fake accept the example's code for it."""
        binding = BrowserBinding(examples.state(examples.ALLOWED), examples.browser(examples.ALLOWED))
        endpoints = Endpoints(f"{self.zendesk}/{{subdomain}}", API_ADDRESS)
        pending = examples.pending(examples.ALLOWED)
        callback_url = approve(authorization_url(pending, binding, self.client_id, endpoints))
        code = parse_qs(urlsplit(callback_url).query)["code"][0]
        body = {"code": code, "as": CODE, "seconds": _LIFE.total_seconds()}
        answer = requests.post(f"{self.zendesk}/_control/codes", json=body, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()

    def connection(self) -> None:
        """Replace all connections by one of the account, installed through the deployment itself an hour ago."""
        self._remove_all("ConnectionsTableName", "connection_key")
        with requests.Session() as session:
            session.trust_env = False
            query = {"subdomain": CONNECTED}
            started = session.get(
                self.outputs["StartUrl"], params=query, allow_redirects=False, timeout=_TIMEOUT_SECONDS
            )
            cookie = started.headers["Set-Cookie"].partition(";")[0]
            answer = session.get(
                approve(started.headers["Location"]), headers={"Cookie": cookie}, timeout=_TIMEOUT_SECONDS
            )
            answer.raise_for_status()
        self.clients("dynamodb").update_item(
            TableName=self.outputs["ConnectionsTableName"],
            Key={"connection_key": {"S": f"default#{CONNECTED}"}},
            UpdateExpression="SET issued_at = issued_at - :age",
            ExpressionAttributeValues={":age": {"N": str(_SECONDS_OLD)}},
        )

    def _remove_all(self, table: str, key: str) -> None:
        client, name = self.clients("dynamodb"), self.outputs[table]
        for page in client.get_paginator("scan").paginate(TableName=name, ProjectionExpression=f"{key}"):
            for row in page["Items"]:
                client.delete_item(TableName=name, Key=row)


def seed_installs(clients: Any) -> None:  # noqa: ANN401 - as below
    """Write the installs that the events need to both deployments."""
    for stack in STACKS.values():
        Seed(clients, *_places(clients, stack)).installs()


def seed(clients: Any) -> None:  # noqa: ANN401 - `boto3.client`, or what makes clients of the emulator
    """Write what the events need to both deployments of the local stack."""
    for mode, stack in STACKS.items():
        deployed = Seed(clients, *_places(clients, stack))
        deployed.installs()
        if mode == "open":
            deployed.code()
            deployed.connection()


def _places(clients: Any, stack: str) -> tuple[str, str, dict[str, str]]:  # noqa: ANN401 - as above
    """Return the fake's address, the client's id and the outputs of a deployed stack."""
    found = clients("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in found["Parameters"]}
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
    return parameters["ZendeskBaseUrl"].removesuffix("/{subdomain}"), parameters["ZendeskClientId"], outputs


def main() -> int:
    """Seed the stack that the environment names; return the exit status."""
    try:
        seed(boto3.client)
    except (BotoCoreError, ClientError, requests.RequestException) as error:
        print(
            f"seed: the local stack does not answer ({type(error).__name__}). "
            "Run 'make local', and in this terminal '. build/local/environment' first.",
            file=sys.stderr,
        )
        return 1
    print("seed: the installs, the code and the connection that events/ refers to are in place for a day")
    return 0


if __name__ == "__main__":
    sys.exit(main())
