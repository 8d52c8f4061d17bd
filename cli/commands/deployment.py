"""Find a deployment by its stack, and say in a sentence what went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from cli.jobs.import_file import ImportFileError
from cli.jobs.stack import Stack
from zendesk_oauth.errors import ZendeskOAuthError

DEFAULT_STACK = "zendesk-oauth"
FAILED = 1
"""The exit code of whatever could not be done, or not to its end."""

StackName = Annotated[str, typer.Option("--stack", envvar="ZENDESK_OAUTH_STACK", help="The stack's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Say it as JSON, on one line.")]


def find_stack(name: str) -> Stack:
    """Ask CloudFormation. Raises ClientError, BotoCoreError."""
    client: Any = Session().create_client("cloudformation")
    [stack] = client.describe_stacks(StackName=name)["Stacks"]
    return Stack(
        {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())},
        {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", ())},
    )


@contextmanager
def told_plainly() -> Iterator[None]:
    """Say what stands in the way in one sentence, and end with FAILED."""
    try:
        yield
    except (ZendeskOAuthError, ImportFileError, BotoCoreError, ClientError, OSError) as error:
        typer.echo(f"zendesk-oauth: {error}", err=True)
        raise typer.Exit(FAILED) from None
