"""A pair of stores, and eyes for what no port reads (yet): a connection's row and how a revocation ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tests.doubles.in_memory_stores import InMemoryConnectionStore, InMemoryInstallStore
from tests.dynamodb_local import Tables
from zendesk_oauth.adapters.dynamodb_connections import DynamoDBConnectionStore
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore
from zendesk_oauth.models.connection import Establishment
from zendesk_oauth.ports import ConnectionStore, InstallStore

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef


@dataclass(frozen=True, slots=True)
class SeenConnection:
    """What the row of a connection says; `replaced` maps the commit of a replaced pair to its access token."""

    status: str
    epoch: int
    generation: int
    commit_id: str
    install_id: str
    access_token: bytes
    refresh_token: bytes
    scopes: tuple[str, ...]
    missing_scopes: tuple[str, ...]
    user_reference: str | None
    replaced: Mapping[str, bytes]


class Stores(Protocol):
    """Both stores over the same rows."""

    @property
    def installs(self) -> InstallStore:
        """The installs."""

    @property
    def connections(self) -> ConnectionStore:
        """The connections."""

    def connection(self, establishment: Establishment) -> SeenConnection | None:
        """Return the row at this establishment's place."""

    def revocation(self, install_id: str) -> str | None:
        """Return how the revocation of an install's token ended."""


@dataclass(frozen=True, slots=True)
class InMemoryStores:
    """Both in memory."""

    installs: InMemoryInstallStore
    connections: InMemoryConnectionStore

    def connection(self, establishment: Establishment) -> SeenConnection | None:
        """Return the row."""
        row = self.connections.rows.get(establishment.key)
        if row is None:
            return None
        return SeenConnection(
            status=row.status,
            epoch=row.epoch,
            generation=row.generation,
            commit_id=row.establishment.sealed.commit_id,
            install_id=row.install_id,
            access_token=row.establishment.sealed.access_token.ciphertext,
            refresh_token=row.establishment.sealed.refresh_token.ciphertext,
            scopes=row.establishment.scopes,
            missing_scopes=row.establishment.missing_scopes,
            user_reference=row.establishment.user_reference,
            replaced={
                pair.commit_id: pair.access_token.ciphertext
                for key, pair in self.connections.replaced.items()
                if key.startswith(f"~{establishment.key}#")
            },
        )

    def revocation(self, install_id: str) -> str | None:
        """Return the outcome."""
        return self.installs.rows[install_id].revocation


@dataclass(frozen=True, slots=True)
class DynamoDBStores:
    """Both on DynamoDB Local, with its client and tables at hand."""

    installs: DynamoDBInstallStore
    connections: DynamoDBConnectionStore
    client: "DynamoDBClient"
    tables: Tables

    def connection(self, establishment: Establishment) -> SeenConnection | None:
        """Return the row."""
        row = self.connection_row(establishment.key)
        if not row:
            return None
        return SeenConnection(
            status=row["status"]["S"],
            epoch=int(row["epoch"]["N"]),
            generation=int(row["generation"]["N"]),
            commit_id=row["commit_id"]["S"],
            install_id=row["install_id"]["S"],
            access_token=row["access_token"]["B"],
            refresh_token=row["refresh_token"]["B"],
            scopes=_texts(row["scopes"]),
            missing_scopes=_texts(row["missing_scopes"]),
            user_reference=row["user_reference"]["S"] if "user_reference" in row else None,
            replaced={
                replaced["commit_id"]["S"]: replaced["access_token"]["B"]
                for replaced in self.replaced_rows(establishment.key)
            },
        )

    def replaced_rows(self, key: str) -> "list[Mapping[str, AttributeValueTypeDef]]":
        """Return the rows of a connection's replaced pairs as they are."""
        rows = self.client.scan(TableName=self.tables.connections)["Items"]
        return [row for row in rows if row["connection_key"]["S"].startswith(f"~{key}#")]

    def revocation(self, install_id: str) -> str | None:
        """Return the outcome."""
        row = self.install_row(install_id)
        return row["revocation"]["S"] if "revocation" in row else None

    def install_row(self, install_id: str) -> "Mapping[str, AttributeValueTypeDef]":
        """Return an install's attributes as they are."""
        key: Mapping[str, AttributeValueTypeDef] = {"install_id": {"S": install_id}}
        return self.client.get_item(TableName=self.tables.installs, Key=key).get("Item", {})

    def connection_row(self, key: str) -> "Mapping[str, AttributeValueTypeDef]":
        """Return a connection's attributes as they are."""
        named: Mapping[str, AttributeValueTypeDef] = {"connection_key": {"S": key}}
        return self.client.get_item(TableName=self.tables.connections, Key=named).get("Item", {})


def _texts(value: "AttributeValueTypeDef") -> tuple[str, ...]:
    return tuple(each["S"] for each in value["L"])
