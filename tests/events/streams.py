"""The streams of DynamoDB Local's tables, read as Lambda would deliver them."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import boto3

from zendesk_oauth.adapters.dynamodb_changes import DynamoDBChangeRecord


class Streams:
    """Reads whole streams, from the first record on."""

    def __init__(self, endpoint: str) -> None:
        region = "us-east-1"
        self._tables = boto3.client("dynamodb", endpoint_url=endpoint, region_name=region)
        self._streams: Any = boto3.client("dynamodbstreams", endpoint_url=endpoint, region_name=region)

    def event(self, table: str) -> dict[str, Any]:
        """Return everything that was written to a table, as one event."""
        return {"Records": list(self._records(table))}

    def changes(self, table: str) -> list[DynamoDBChangeRecord]:
        """Return the same as records to be read."""
        records = self.event(table)["Records"]
        return [
            DynamoDBChangeRecord(each["dynamodb"]["SequenceNumber"], each["dynamodb"]) for each in records
        ]

    def _records(self, table: str) -> Iterator[dict[str, Any]]:
        arn = self._tables.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        for shard in self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            iterator = self._streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while iterator:
                answer = self._streams.get_records(ShardIterator=iterator)
                yield from map(as_delivered, answer["Records"])
                iterator = answer.get("NextShardIterator") if answer["Records"] else None


def as_delivered(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record as JSON has it: instants in epoch seconds, bytes in base64."""
    delivered: dict[str, Any] = _plain(record)
    return delivered | {"eventSource": "aws:dynamodb"}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | set):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.timestamp()
    return b64encode(value).decode() if isinstance(value, bytes) else value
