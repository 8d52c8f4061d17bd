"""Accounts at the stand-in whose tokens a company already has, written as its file, and what their rows say."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from local.zendesk.lifetimes import Lifetimes
from local.zendesk.standin import StandIn
from local.zendesk.tokens import TokenPair
from tests.jobs.desk import Desk
from zendesk_oauth.models.refresh import Connection
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.ports.refresh import UnlockedPair

LIFE = timedelta(hours=5)

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Accounts:
    """Issues pairs, and looks at rows."""

    zendesk: StandIn
    desk: Desk

    def issue(self, subdomain: str = "acme", role: str = "admin", scope: str = "users:read") -> TokenPair:
        """Return a pair that the company has from an earlier flow of its own."""
        account = self.zendesk.accounts.get(subdomain)
        lifetimes = Lifetimes(int(LIFE.total_seconds()), 7_776_000)
        return self.zendesk.tokens.issue(account, account.people[role], scope, lifetimes)

    def rows(self) -> dict[str, Row]:
        """Return every row, raw, by its key."""
        desk = self.desk
        found: list[Any] = []
        for page in desk.dynamodb.get_paginator("scan").paginate(TableName=desk.addresses.table):
            found += page["Items"]
        return {row["connection_key"]["S"]: row for row in found}

    def connection(self, subdomain: str = "acme", grant: str = "default") -> Connection:
        """Return the row as a refresh sees it."""
        found = self.desk.store.find(grant, Subdomain(subdomain))
        assert found is not None
        return found

    def stored(self, subdomain: str = "acme", grant: str = "default") -> UnlockedPair:
        """Open the row's pair."""
        connection = self.connection(subdomain, grant)
        return self.desk.keyring.unlock(connection.context, connection.living_pair)

    def holds(self, pair: TokenPair, subdomain: str = "acme") -> bool:
        """Tell whether the row holds both tokens of this pair."""
        stored = self.stored(subdomain)
        return (stored.access_token.reveal(), stored.refresh_token.reveal()) == (
            pair.access_token,
            pair.refresh_token,
        )


def cells(pair: TokenPair, subdomain: str | None = None, **more: str) -> dict[str, str]:
    """Return the cells of a pair's line."""
    return {
        "subdomain": subdomain or pair.account.subdomain,
        "access_token": pair.access_token,
        "refresh_token": pair.refresh_token,
    } | more


def write_lines(path: Path, lines: Iterable[Mapping[str, object]]) -> Path:
    """Write lines as JSON objects."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
