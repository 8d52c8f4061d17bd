"""One row of the connections' table: read strongly, and changed by one conditional write."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from zendesk_oauth.adapters.aws_errors import code_of
from zendesk_oauth.adapters.dynamodb_attributes import Item, text
from zendesk_oauth.adapters.dynamodb_errors import CONDITION_FAILED, row_in_the_way, store_errors
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.literals import ReturnValueType

KEY = "connection_key"


def get_row(client: "DynamoDBClient", table: str, key: str, **projection: Any) -> Item | None:  # noqa: ANN401 - each has its own type
    """Read one row strongly, whole unless a projection says what of it; None: there is none."""
    with store_errors():
        answer = client.get_item(TableName=table, Key={KEY: text(key)}, ConsistentRead=True, **projection)
    return answer.get("Item")


def update_row(
    client: "DynamoDBClient",
    table: str,
    key: str,
    update: ConditionalUpdate,
    returned: "ReturnValueType" = "NONE",
) -> tuple[bool, Item | None]:
    """Return whether the write was made, and the row: the new one if it is asked for, or the one in the way."""
    with store_errors():
        try:
            answer = client.update_item(
                TableName=table,
                Key={KEY: text(key)},
                ReturnValues=returned,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **update.arguments(),
            )
        except ClientError as error:
            if code_of(error) != CONDITION_FAILED:
                raise
            return False, row_in_the_way(error)
    return True, answer.get("Attributes")
