"""The arguments and options that several commands have, and what makes names of them."""

from typing import Annotated

import typer

from cli.errors import RefusedError
from zendesk_oauth.models.grant import GRANT_NAME
from zendesk_oauth.models.subdomain import Subdomain, parse_subdomain

NO_SUCH_GRANT = "no grant of that name is configured; the stack's parameter Grants names them"

AccountName = Annotated[
    str,
    typer.Argument(metavar="SUBDOMAIN", help="The account: acme, or any address of it.", show_default=False),
]
GrantName = Annotated[str, typer.Option("--grant", help="Which of the account's connections.")]


def names_of(unverified_account: str, unverified_grant: str) -> tuple[str, Subdomain]:
    """Return grant and subdomain. Raises RefusedError and SubdomainRefusedError: no address has anything else."""
    if not GRANT_NAME.fullmatch(unverified_grant):
        raise RefusedError(
            "a grant's name is 1 to 32 of a-z, 0-9 and hyphen; Grants of the stack names those there are"
        )
    return unverified_grant, parse_subdomain(unverified_account)
