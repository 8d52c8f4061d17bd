"""The bare handler that the others are held against: boto3, one client, one write, and nothing else."""

import os

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, dict[str, str]], _context: object) -> dict[str, int]:
    """Write one item, and say that it was written."""
    item = {"install_id": {"S": event["requestContext"]["requestId"]}}
    dynamodb.put_item(TableName=os.environ["INSTALLS_TABLE"], Item=item)
    return {"statusCode": 204}
