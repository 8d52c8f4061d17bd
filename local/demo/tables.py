"""What the stores hold at the end, and what the stand-in saw: lengths of what is sealed, never what it is."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from local.demo.rows import Row, Rows
from local.demo.scene import CODE_GRANT, REFRESH_GRANT
from local.stack import LocalStack

_SEALED = ("access_token", "access_token_key", "refresh_token", "refresh_token_key")


def show_stores(console: Console, stack: LocalStack) -> None:
    """Print both tables of every deployment."""
    stores = [(mode, Rows(stack.emulator, deployment)) for mode, deployment in stack.deployments.items()]
    connections = _table(
        "ConnectionsTable",
        *("mode", "connection_key", "status", "scopes", "epoch", "generation"),
        "sealed bytes",
    )
    installs = _table(
        "InstallsTable", *("mode", "install_id", "subdomain", "grant", "status", "reason"), "sealed bytes"
    )
    for mode, rows in stores:
        for row in sorted(rows.connections(), key=lambda row: str(row["connection_key"])):
            _add(connections, mode, row, ("connection_key", "status", "scopes", "epoch", "generation"))
        for row in sorted(rows.installs(), key=lambda row: str(row["created_at"])):
            _add(installs, mode, row, ("install_id", "subdomain", "grant", "status", "reason"))
    console.print()
    console.print(connections)
    console.print(
        "   sealed bytes: access token + its wrapped key, refresh token + its wrapped key", style="dim"
    )
    console.print(installs)


def show_seen(console: Console, stack: LocalStack) -> None:
    """Print what the stand-in for Zendesk was asked, by account."""
    table = _table(
        "The stand-in for Zendesk saw",
        *("account", "codes posted", "refreshes", "API calls", "token pairs alive"),
    )
    seen = stack.zendesk.seen
    for account in sorted({page.subdomain for page in seen.authorizations}):
        calls = sum(call.subdomain == account for call in seen.api_calls)
        alive = len(stack.zendesk.alive(account))
        codes, refreshes = seen.count(CODE_GRANT, account), seen.count(REFRESH_GRANT, account)
        table.add_row(account, str(codes), str(refreshes), str(calls), str(alive))
    console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _add(table: Table, mode: str, row: Row, names: Iterable[str]) -> None:
    table.add_row(mode, *(_shown(row.get(name)) for name in names), _sealed(row))


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


def _sealed(row: Row) -> str:
    """Return the four lengths, or nothing where nothing is sealed in the row."""
    lengths = [len(value) for name in _SEALED if isinstance(value := row.get(name), bytes)]
    if len(lengths) != len(_SEALED):
        return ""
    return f"{lengths[0]} + {lengths[1]}, {lengths[2]} + {lengths[3]}"
