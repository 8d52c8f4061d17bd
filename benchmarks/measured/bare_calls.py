"""The bare boto3 calls that a cold read and a refresh need: made in their order, and nothing is made of the answers.

No seal is opened, no answer judged, nothing logged: what the library and `refresh` take beside this is their own.
"""

import json
from collections.abc import Sequence
from os import environ
from time import time
from typing import Any
from urllib.parse import urlencode

import boto3
import urllib3

from zendesk_oauth.adapters.dynamodb_connection_attributes import CONNECTION
from zendesk_oauth.adapters.dynamodb_token_reader import ATTRIBUTES

CLAIM = "SET claim_id = :claim, claim_until = :until, claim_state = :living"
CLAIM_IF = (
    "#epoch = :epoch AND #generation = :before AND #status = :active AND attribute_not_exists(claim_id)"
)
COMMIT = (
    "SET access_token = :access, access_token_key = :key, refresh_token = :refresh, refresh_token_key = :key, "
    "commit_id = :claim, #generation = :next, scopes = :scopes, issued_at = :now, expires_at = :until, "
    "refresh_at = :until, refresh_expires_at = :until, keep_alive_at = :until, #status = :active, "
    "keep_alive_shard = :shard, list_shard = :shard REMOVE claim_id, claim_until, claim_state, retry_at"
)
COMMIT_IF = "#epoch = :epoch AND #generation = :before AND #status = :active"
NAMES = {"#epoch": "epoch", "#generation": "generation", "#status": "status"}

type Row = dict[str, Any]


class BareCalls:
    """The clients of a warm container, as boto3 and urllib3 make them unless told otherwise."""

    def __init__(self, client_secret: str) -> None:
        self.dynamodb = boto3.client("dynamodb")
        self.kms = boto3.client("kms")
        self.http = urllib3.PoolManager()
        self.client_secret = client_secret

    def read(self, subdomain: str) -> None:
        """Read what a worker may, and have the key unwrapped."""
        self._decrypt(subdomain, self._get(subdomain, ATTRIBUTES, consistent=False), "access_token")

    def refresh(self, subdomain: str, refresh_token: str) -> None:
        """Read, claim, have both keys unwrapped, post, and write the next generation."""
        row = self._get(subdomain, CONNECTION, consistent=True)
        values = {":epoch": row["epoch"], ":before": row["generation"], ":active": {"S": "active"}}
        until, claim = _number(time() + 70), {"S": "b" * 22}
        claimed = values | {":claim": claim, ":until": until, ":living": {"S": "living"}}
        self._update(subdomain, CLAIM, CLAIM_IF, claimed)
        for field in ("access_token", "refresh_token"):
            self._decrypt(subdomain, row, field)
        self._post(subdomain, refresh_token)
        renewed = {
            ":access": row["access_token"],
            ":refresh": row["refresh_token"],
            ":key": row["access_token_key"],
            ":claim": claim,
            ":next": _number(int(row["generation"]["N"]) + 1),
            ":scopes": row["scopes"],
            ":now": _number(time()),
            ":until": until,
            ":shard": {"S": "shard-01"},
        }
        self._update(subdomain, COMMIT, COMMIT_IF, values | renewed, ReturnValues="ALL_NEW")

    def _get(self, subdomain: str, attributes: Sequence[str], *, consistent: bool) -> Row:
        answer = self.dynamodb.get_item(
            TableName=environ["CONNECTIONS_TABLE"],
            Key=_key(subdomain),
            ConsistentRead=consistent,
            ProjectionExpression=", ".join(f"#{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
        )
        return dict(answer["Item"])

    def _update(self, subdomain: str, update: str, condition: str, values: Row, **options: Any) -> None:  # noqa: ANN401
        self.dynamodb.update_item(
            TableName=environ["CONNECTIONS_TABLE"],
            Key=_key(subdomain),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeNames=NAMES,
            ExpressionAttributeValues=values,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **options,
        )

    def _decrypt(self, subdomain: str, row: Row, field: str) -> None:
        context = {"application": environ["APPLICATION"], "stage": environ["STAGE"]}
        self.kms.decrypt(
            KeyId=environ["TOKEN_KEY_ARN"],
            CiphertextBlob=row[f"{field}_key"]["B"],
            EncryptionContext=context | {"grant": "default", "subdomain": subdomain, "field": field},
        )

    def _post(self, subdomain: str, refresh_token: str) -> None:
        """Spend the refresh token. Raises KeyError where Zendesk refuses it, which would be quicker."""
        fields = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": environ["ZENDESK_CLIENT_ID"],
            "client_secret": self.client_secret,
            "expires_in": environ["ACCESS_TOKEN_SECONDS"],
            "refresh_token_expires_in": environ["REFRESH_TOKEN_SECONDS"],
        }
        url = environ["ZENDESK_BASE_URL"].format(subdomain=subdomain) + "/oauth/tokens"
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.http.request("POST", url, body=urlencode(fields), headers=form, retries=False)
        json.loads(answer.data)["refresh_token"]


def _key(subdomain: str) -> Row:
    return {"connection_key": {"S": f"default#{subdomain}"}}


def _number(number: float) -> dict[str, str]:
    return {"N": str(int(number))}
