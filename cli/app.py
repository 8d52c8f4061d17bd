"""`zendesk-oauth`: what an operator does with a deployment."""

import typer

from cli.commands.import_tokens import import_tokens
from cli.commands.rekey import rekey
from cli.commands.restore import restore

app = typer.Typer(name="zendesk-oauth", no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
app.command("rekey")(rekey)
app.command("import")(import_tokens)
app.command("restore")(restore)
