"""The arguments and options that several commands have."""

from typing import Annotated

import typer

DEFAULT_GRANT = "default"

Account = Annotated[str, typer.Argument(metavar="SUBDOMAIN", help="The account: acme, or its whole address.")]
Grant = Annotated[str, typer.Option("--grant", help="Which of the account's connections.")]
