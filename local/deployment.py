"""Building the real template and deploying it to the emulator with SAM CLI, once for each start mode.

The rule: nothing is deployed but what `scripts/build` left in `.aws-sam/build`, with parameters that anybody can give.
"""

import json
import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import places
from local.ministack import REGION, Emulator
from local.processes import CommandFailedError, Processes, Running

BUCKET = "zendesk-oauth-deployments"
STAGE = "local"
_OBJECTS = "objects"
_TEMPLATE = "template.json"
_ARM = frozenset({"arm64", "aarch64"})


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be deployed under which name, and the parameters that differ between deployments."""

    application: str
    start_mode: str
    public_base_url: str
    zendesk_base_url: str
    client_id: str
    client_secret_arn: str
    alarm_topic_arn: str = ""
    site_url: str = ""
    return_origins: str = ""
    grants: str = "default=users:read tickets:read tickets:write;reporting=read"

    @property
    def stack_name(self) -> str:
        """The stack's name: the application's, which all names within it begin with."""
        return self.application

    def parameters(self) -> dict[str, str]:
        """Return the template's parameters."""
        return {
            "Application": self.application,
            "Stage": STAGE,
            "Architecture": architecture(),
            "ZendeskClientId": self.client_id,
            "ClientSecretArn": self.client_secret_arn,
            "ZendeskBaseUrl": self.zendesk_base_url,
            "PublicBaseUrl": self.public_base_url,
            "StartMode": self.start_mode,
            "SiteUrl": self.site_url,
            "AllowedReturnOrigins": self.return_origins,
            "Grants": self.grants,
            "CompanyName": "Example Company",
            "SupportAddress": "support@example.com",
            "AlarmTopicArn": self.alarm_topic_arn,
        }


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed stack: its order and its outputs by name."""

    order: Order
    outputs: Mapping[str, str]

    @property
    def api_id(self) -> str:
        """The API's id, which the emulator's Host begins with."""
        return self.outputs["ApiId"]

    @property
    def base_url(self) -> str:
        """Where browsers reach it."""
        return self.order.public_base_url

    def host(self, port: int) -> str:
        """Return the API's own host name at an emulator on this port."""
        return f"{self.api_id}.execute-api.localhost:{port}"

    def function_name(self, verb: str) -> str:
        """Return the name of one of its functions."""
        return f"{self.order.application}-{STAGE}-{verb}"


def architecture() -> str:
    """Return the processor of this machine as Lambda names it: functions run on it as processes."""
    return "arm64" if platform.machine().lower() in _ARM else "x86_64"


def build(processes: Processes, logs: Path) -> None:
    """Run `scripts/build` for this machine. Raises CommandFailedError."""
    script = places.ROOT / "scripts" / "build"
    processes.start("The build", [script], build_environment(), logs / "build.log").finish()


def build_environment() -> dict[str, str]:
    """Return what a build is given.

    It keeps the person's environment, for a package index behind a proxy, but none of its AWS settings.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    return kept | {"ARCH": architecture()}


@dataclass(frozen=True, slots=True)
class Deployer:
    """Packages once, then deploys as often as is ordered, side by side."""

    emulator: Emulator
    processes: Processes
    logs: Path

    def package(self) -> Path:
        """Put what was built into the emulator's S3 and return the template for it. Raises CommandFailedError.

        Zipping takes longer than all the rest, so what SAM has packaged is kept until the build changes.
        """
        s3 = self.emulator.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        packaged = _kept_package()
        if not packaged.exists():
            self._package_anew(s3, packaged)
        for path in (packaged / _OBJECTS).iterdir():
            s3.put_object(Bucket=BUCKET, Key=path.name, Body=path.read_bytes())
        return packaged / _TEMPLATE

    def deploy(self, template: Path, orders: Sequence[Order]) -> list[Deployment]:
        """Deploy all of them at once from a packaged template. Raises CommandFailedError."""
        commands = [self.start(template, order.stack_name, order.parameters()) for order in orders]
        for command in commands:
            command.finish()
        deployments = [Deployment(order, self.outputs(order.stack_name)) for order in orders]
        for deployment in deployments:
            self._complete(deployment)
        return deployments

    def _complete(self, deployment: Deployment) -> None:
        """Set of the tables what the emulator's CloudFormation leaves out of a template."""
        dynamodb, outputs = self.emulator.client("dynamodb"), deployment.outputs
        for table in ("InstallsTableName", "ConnectionsTableName"):
            dynamodb.update_time_to_live(
                TableName=outputs[table],
                TimeToLiveSpecification={"AttributeName": "delete_at", "Enabled": True},
            )
        dynamodb.update_continuous_backups(
            TableName=outputs["ConnectionsTableName"],
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )

    def start(self, template: Path, stack_name: str, parameters: Mapping[str, str]) -> Running:
        """Begin to deploy a template under a name; parameters without a value are left to their defaults."""
        overrides = [f"{name}={json.dumps(value)}" for name, value in parameters.items() if value]
        return self._sam(
            "deploy",
            *("--template-file", template),
            *("--stack-name", stack_name),
            *("--capabilities", "CAPABILITY_IAM"),
            *("--no-confirm-changeset", "--no-progressbar", "--no-fail-on-empty-changeset"),
            *("--parameter-overrides", *overrides),
            name=stack_name,
        )

    def outputs(self, stack_name: str) -> dict[str, str]:
        """Return the outputs of a deployed stack by name."""
        stacks = self.emulator.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}

    def _package_anew(self, s3: Any, packaged: Path) -> None:  # noqa: ANN401 - an untyped client
        fresh = self.emulator.folder / "packaged"
        (fresh / _OBJECTS).mkdir(parents=True)
        output = ("--output-template-file", fresh / _TEMPLATE)
        self._sam("package", "--template-file", places.BUILT_TEMPLATE, *output).finish()
        if _kept_package() != packaged:
            raise CommandFailedError("the sources were built anew while they were being packaged; try again")
        for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
            body = s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"]
            (fresh / _OBJECTS / item["Key"]).write_bytes(body.read())
        part = packaged.with_suffix(f".{os.getpid()}")
        shutil.copytree(fresh, part)
        with suppress(OSError):  # another run has packaged the same meanwhile
            part.rename(packaged)
        places.keep_newest(places.PACKAGED)

    def _sam(self, command: str, *arguments: str | Path, name: str = "") -> Running:
        config = ("--config-file", self._no_settings())
        line = [places.SAM, command, *config, *arguments, "--s3-bucket", BUCKET, "--region", REGION]
        log = self.logs / f"sam-{command}{name and '-'}{name}.log"
        return self.processes.start(f"sam {command}", line, self.emulator.environment(), log)

    def _no_settings(self) -> Path:
        """Return an empty settings file: samconfig.toml is for deployments to AWS."""
        path = self.emulator.folder / "samconfig.toml"
        path.write_text("version = 0.1\n")
        return path


def _kept_package() -> Path:
    """Return where the build that is there lies packaged, or would: `scripts/build` notes what it was made from."""
    return places.PACKAGED / (places.BUILT / ".inputs").read_text().strip()
