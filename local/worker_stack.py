"""The example of a worker's stack, beside the deployment that it leans on: built and deployed as its README says.

The rule: it is the example as it stands, with parameters that anybody can give.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from local import places
from local.deployment import STAGE, Deployer, Deployment, architecture, build_environment
from local.ministack import Emulator
from local.processes import Processes, Running
from local.zendesk.standin import StandIn
from local.zendesk.webhooks import Webhook

_PUBLISHED = {
    "ConnectionsTable": "connections-table",
    "DependenciesLayerArn": "dependencies-layer-arn",
    "EventBus": "event-bus-name",
    "PackageLayerArn": "package-layer-arn",
    "PublicBaseUrl": "public-base-url",
    "RefreshFunction": "refresh-function-name",
    "TokenKeyArn": "token-key-arn",
    "WorkerPolicyArn": "worker-policy-arn",
}
"""The parameters that are found by name, and what the deployment calls them."""


@dataclass(frozen=True, slots=True)
class WorkerStack:
    """The deployed stack: a worker, a receiver of webhooks, and a follower of events."""

    emulator: Emulator
    outputs: Mapping[str, str]

    def receiver_address(self, subdomain: str) -> str:
        """Return where an account's webhook goes: the emulator serves function URLs below its own address."""
        host = urlsplit(self.outputs["ReceiverUrl"]).hostname or ""
        return f"{self.emulator.address}/_aws/lambda-url/{host.partition('.')[0]}/{subdomain}"

    def trust(self, subdomain: str, signing_secret: str) -> None:
        """Tell the receiver the signing secret of an account's webhook; a running one knows it five minutes later."""
        client, name = self.emulator.client("secretsmanager"), self.outputs["WebhookSecretsArn"]
        known = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
        secrets = json.dumps(known | {subdomain: signing_secret})
        client.put_secret_value(SecretId=name, SecretString=secrets)

    def hear_of(self, zendesk: StandIn, subdomain: str) -> Webhook:
        """Do what an account's admin does for it: a webhook to the receiver, and its signing secret told there."""
        webhook = zendesk.add_webhook(subdomain, self.receiver_address(subdomain))
        self.trust(subdomain, webhook.signing_secret)
        return webhook

    def known_of(self, subdomain: str, grant: str = "default") -> dict[str, str]:
        """Return what the follower knows of a connection, empty where it has heard nothing."""
        answer = self.emulator.client("dynamodb").get_item(
            TableName=self.outputs["CustomersTableName"],
            Key={"connection": {"S": f"{grant}#{subdomain}"}},
            ConsistentRead=True,
        )
        return {name: str(value.get("S", "")) for name, value in answer.get("Item", {}).items()}

    def left(self, output: str = "QueueUrl") -> int:
        """Return how many messages the queue that this output names has, seen or hidden."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.emulator.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs[output], AttributeNames=names
        )
        return sum(int(answer["Attributes"][name]) for name in names)

    def worked(self) -> int:
        """Return how often the worker has come to the end of its messages, by its log."""
        worker = self.emulator.client("lambda").get_function_configuration(
            FunctionName=self.outputs["WorkerName"]
        )
        pages = self.emulator.client("logs").get_paginator("filter_log_events")
        lines = pages.paginate(logGroupName=worker["LoggingConfig"]["LogGroup"])
        return sum("REPORT RequestId" in event["message"] for page in lines for event in page["events"])


@dataclass(frozen=True, slots=True)
class ExampleBuild:
    """The example, being built beside all the rest; what was built before of the same files is taken as it is."""

    kept: Path
    part: Path
    running: Running | None

    @classmethod
    def start(cls, processes: Processes, logs: Path) -> Self:
        """Begin to build, unless it is built."""
        kept = places.BUILT_EXAMPLES / _key()
        part = kept.with_suffix(f".{os.getpid()}")
        if kept.exists():
            return cls(kept, part, None)
        environment = build_environment() | {"SAM_CLI_TELEMETRY": "0"}
        environment["PATH"] = f"{places.PYTHON.resolve().parent}:{environment.get('PATH', '')}"
        command: list[str | Path] = [
            *(places.SAM, "build", "--template", places.EXAMPLE / "template.yaml", "--build-dir", part),
            *("--parameter-overrides", f"Architecture={architecture()}"),
        ]
        return cls(kept, part, processes.start("sam build", command, environment, logs / "example.log"))

    def template(self) -> Path:
        """Wait until it is built, and return its template. Raises CommandFailedError."""
        if self.running is not None:
            self.running.finish()
            with suppress(OSError):  # another run has built the same meanwhile
                self.part.rename(self.kept)
            places.keep_newest(places.BUILT_EXAMPLES)
        return self.kept / "template.yaml"


def _key() -> str:
    """Return what the example was built from, and for what, as one text."""
    digest = hashlib.sha256(architecture().encode())
    files = (
        *places.EXAMPLE.glob("template.yaml"),
        *places.EXAMPLE.glob("*/*.py"),
        *places.EXAMPLE.glob("*/*.txt"),
    )
    for path in sorted(files):
        digest.update(str(path.relative_to(places.EXAMPLE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def parameters(deployment: Deployment) -> dict[str, str]:
    """Return what the README says to give at another application and stage, and the stand-in's address."""
    order = deployment.order
    names = {name: f"/{order.application}/{STAGE}/{last}" for name, last in _PUBLISHED.items()}
    own = {"Application": order.application, "Stage": STAGE, "Architecture": architecture()}
    return names | own | {"StartMode": order.start_mode, "ZendeskBaseUrl": order.zendesk_base_url}


def deploy(deployer: Deployer, template: Path, deployment: Deployment) -> WorkerStack:
    """Deploy the example beside a deployment. Raises CommandFailedError."""
    name = f"{deployment.order.application}-worker"
    deployer.start(template, name, parameters(deployment)).finish()
    return WorkerStack(deployer.emulator, deployer.outputs(name))
