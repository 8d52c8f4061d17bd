"""The commands, by name: the one place that knows them all."""

from collections.abc import Mapping

import typer

from cli.command import Work, command
from cli.commands.disconnect import disconnect
from cli.commands.doctor import doctor
from cli.commands.import_tokens import import_tokens
from cli.commands.invite import invite
from cli.commands.list_connections import list_connections
from cli.commands.probe import probe
from cli.commands.refresh import refresh
from cli.commands.rekey import rekey
from cli.commands.restore import restore
from cli.commands.show_connection import show_connection
from cli.output import write_what_can_be_encoded

NAME = "zendesk-oauth"
COMMANDS: Mapping[str, Work] = {
    "list": list_connections,
    "show": show_connection,
    "probe": probe,
    "refresh": refresh,
    "disconnect": disconnect,
    "invite": invite,
    "doctor": doctor,
    "import": import_tokens,
    "rekey": rekey,
    "restore": restore,
}
"""In the order in which they are shown."""

app = typer.Typer(
    name=NAME,
    help="Look after a deployment: its connections, its settings and its health.",
    epilog="docs/cli.md has every command with an example, the exit codes and the permissions that each needs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _name, _work in COMMANDS.items():
    app.command(_name)(command(_work))


@app.callback()
def of_a_deployment() -> None:
    """Let there be commands even where there is only one."""


def main() -> None:
    """Run the command that was typed."""
    write_what_can_be_encoded()
    app(prog_name=NAME)
