"""The rows that a deployment's tables hold, read strongly, in plain Python values."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from boto3.dynamodb.types import Binary, TypeDeserializer

from local.deployment import Deployment
from local.ministack import Emulator
from zendesk_oauth.models.connection import REPLACED_MARK

type Row = Mapping[str, object]
_PLAIN = TypeDeserializer()
_TIMES = (
    *("issued_at", "refresh_at", "expires_at", "keep_alive_at", "refresh_expires_at"),
    *("retry_at", "claim_until"),
)
"""What a connection's row is judged by when time has passed."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Reads one deployment's two tables."""

    emulator: Emulator
    deployment: Deployment

    def install(self, install_id: str) -> Row:
        """Return an install's row, empty where there is none."""
        return self._get("InstallsTableName", {"install_id": {"S": install_id}})

    def connection(self, subdomain: str, grant: str = "default") -> Row:
        """Return a connection's row, empty where there is none."""
        return self._get("ConnectionsTableName", {"connection_key": {"S": f"{grant}#{subdomain}"}})

    def installs(self) -> list[Row]:
        """Return every install."""
        return self._scan("InstallsTableName")

    def connections(self) -> list[Row]:
        """Return every connection; what is left of replaced pairs is none."""
        rows = self._scan("ConnectionsTableName")
        return [row for row in rows if not str(row["connection_key"]).startswith(REPLACED_MARK)]

    def replaced(self, subdomain: str, grant: str = "default") -> Row:
        """Return the row of the one pair of a connection that was replaced."""
        begins = f"{REPLACED_MARK}{grant}#{subdomain}#"
        rows = self._scan("ConnectionsTableName")
        [row] = [row for row in rows if str(row["connection_key"]).startswith(begins)]
        return row

    def move_back(self, install_id: str, seconds: int) -> None:
        """Move the times of an install back by hand, as if it had waited that long."""
        self.emulator.client("dynamodb").update_item(
            TableName=self.deployment.outputs["InstallsTableName"],
            Key={"install_id": {"S": install_id}},
            UpdateExpression="SET expires_at = expires_at - :s, revoke_at = revoke_at - :s",
            ExpressionAttributeValues={":s": {"N": str(seconds)}},
        )

    def remove_install(self, install_id: str) -> None:
        """Remove an install's row by hand, as DynamoDB does with one whose time is over."""
        self.emulator.client("dynamodb").delete_item(
            TableName=self.deployment.outputs["InstallsTableName"], Key={"install_id": {"S": install_id}}
        )

    def let_pass(self, seconds: int, subdomain: str, grant: str = "default") -> None:
        """Move the times of a connection back by hand, as if that long had passed."""
        row = self.connection(subdomain, grant)
        moved = [f"{name} = {name} - :s" for name in _TIMES if name in row]
        self.emulator.client("dynamodb").update_item(
            TableName=self.deployment.outputs["ConnectionsTableName"],
            Key={"connection_key": {"S": f"{grant}#{subdomain}"}},
            UpdateExpression=f"SET {', '.join(moved)}",
            ExpressionAttributeValues={":s": {"N": str(seconds)}},
        )

    def _get(self, table: str, key: dict[str, dict[str, str]]) -> Row:
        answer = self.emulator.client("dynamodb").get_item(
            TableName=self.deployment.outputs[table],
            Key=key,
            ConsistentRead=True,
        )
        return _plain(answer.get("Item", {}))

    def _scan(self, table: str) -> list[Row]:
        pages = self.emulator.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=self.deployment.outputs[table], ConsistentRead=True)
        return [_plain(item) for page in found for item in page["Items"]]


def _plain(item: Mapping[str, object]) -> dict[str, object]:
    return {name: _value(_PLAIN.deserialize(value)) for name, value in item.items()}  # type: ignore[arg-type] # as above


def _value(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value)
    return value.value if isinstance(value, Binary) else value  # type: ignore[attr-defined] # missing in the stub
