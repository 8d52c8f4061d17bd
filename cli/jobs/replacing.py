"""Write a row of the connections' table in the place of one whose pair is replaced: both in one transaction."""

from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from zendesk_oauth.adapters.aws_errors import code_of
from zendesk_oauth.adapters.dynamodb_attributes import Item, text
from zendesk_oauth.adapters.dynamodb_connection_table import KEY
from zendesk_oauth.adapters.dynamodb_connections import CANCELLED, CONDITION_FAILED
from zendesk_oauth.adapters.dynamodb_errors import cancellation_reasons, store_errors
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate
from zendesk_oauth.adapters.dynamodb_replaced_rows import replaced_write
from zendesk_oauth.errors import StoreUnavailableError, VersionConflictError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


def is_written(client: "DynamoDBClient", table: str, key: str, update: ConditionalUpdate) -> bool:
    """Write one row; False, and nothing was written, where a condition fails. Raises StoreUnavailableError."""
    try:
        with store_errors():
            client.update_item(
                TableName=table, Key={KEY: text(key)}, ReturnValues="NONE", **update.arguments()
            )
    except VersionConflictError:
        return False
    return True


def is_replaced(
    client: "DynamoDBClient",
    table: str,
    update: ConditionalUpdate,
    replaced: Item,
    now: datetime,
) -> bool:
    """Write over the row that was read, whose pair moves to a row of its own; False where a condition fails.

    `update` has to demand that the row still has this pair. One that has its own row already is not moved again: it is
    revoked there. Raises StoreUnavailableError.
    """
    key = replaced[KEY]["S"]
    write = update.in_transaction(table, {KEY: text(key)})
    codes = _transact(client, [write, replaced_write(table, replaced, now)])
    if codes[:1] == [CONDITION_FAILED]:
        return False
    if codes[1:] == [CONDITION_FAILED]:
        return is_written(client, table, key, update)
    if codes:
        raise StoreUnavailableError("the transaction met another")
    return True


def _transact(client: "DynamoDBClient", writes: "Sequence[TransactWriteItemTypeDef]") -> list[str]:
    """Return why it was cancelled, a code for each write; nothing where it was written."""
    with store_errors():
        try:
            client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if code_of(error) != CANCELLED:
                raise
            return [str(reason.get("Code")) for reason in cancellation_reasons(error)]
    return []
