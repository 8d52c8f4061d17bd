"""The bare handler that reads a token: boto3, two clients, one read, one key, and nothing is opened with it."""

import os

import boto3

dynamodb = boto3.client("dynamodb")
kms = boto3.client("kms")


def handler(_event: object, _context: object) -> dict[str, int]:
    """Read one row and have its key unwrapped, and say that it was done."""
    key = {"connection_key": {"S": "default#acme"}}
    row = dynamodb.get_item(TableName=os.environ["CONNECTIONS_TABLE"], Key=key)["Item"]
    kms.decrypt(
        KeyId=os.environ["TOKEN_KEY_ARN"],
        CiphertextBlob=row["access_token_key"]["B"],
        EncryptionContext={"field": "access_token", "grant": "default", "subdomain": "acme"},
    )
    return {"statusCode": 204}
