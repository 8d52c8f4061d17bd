"""Measured: the bare calls that an import and a rekey of many rows need, with as many threads.

Two questions to Zendesk, two data keys and one write for a line; one read, two keys opened, two new ones and one write
for a row. Nothing is checked, sealed, opened or compared: what the jobs take beside this is their own.
"""

import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import environ
from time import perf_counter
from typing import Any

import boto3
import urllib3

GRANT = "default"
PATHS = ("/api/v2/oauth/tokens/current.json", "/api/v2/users/me.json")
FIELDS = ("access_token", "refresh_token")
RESEAL = (
    "SET access_token = :access, access_token_key = :key, refresh_token = :refresh, refresh_token_key = :key"
)


class BareJobs:
    """The clients, as boto3 and urllib3 make them unless told otherwise."""

    def __init__(self, table: str, threads: int) -> None:
        self.dynamodb = boto3.client("dynamodb")
        self.kms = boto3.client("kms")
        self.http = urllib3.PoolManager(maxsize=threads)
        self.table = table

    def bring_in(self, line: dict[str, Any]) -> None:
        """Ask, have two data keys, and write a row of the usual size. Raises ValueError where Zendesk says no."""
        base = environ["ZENDESK_BASE_URL"].format(subdomain=line["subdomain"])
        headers = {"Authorization": f"Bearer {line['access_token']}"}
        for path in PATHS:
            if self.http.request("GET", base + path, headers=headers, retries=False).status != 200:  # noqa: PLR2004
                raise ValueError(line["subdomain"])
        keys = [self._new_key(line["subdomain"], field) for field in FIELDS]
        row = {
            "connection_key": {"S": f"{GRANT}#{line['subdomain']}"},
            **{f"{field}_key": {"B": key} for field, key in zip(FIELDS, keys, strict=True)},
            **{field: {"B": line[field].encode()} for field in FIELDS},
            **line["row"],
        }
        self.dynamodb.put_item(TableName=self.table, Item=row)

    def seal_anew(self, subdomain: str) -> None:
        """Read, open both keys, have two new ones, and write."""
        key = {"connection_key": {"S": f"{GRANT}#{subdomain}"}}
        row = self.dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True)["Item"]
        for field in FIELDS:
            context = self._context(subdomain, field)
            wrapped: bytes = row[f"{field}_key"]["B"]
            self.kms.decrypt(
                KeyId=environ["TOKEN_KEY_ARN"], CiphertextBlob=wrapped, EncryptionContext=context
            )
        new_key, _ = [self._new_key(subdomain, field) for field in FIELDS]
        values: Any = {
            ":access": row["access_token"],
            ":refresh": row["refresh_token"],
            ":key": {"B": new_key},
        }
        self.dynamodb.update_item(
            TableName=self.table,
            Key=key,
            UpdateExpression=RESEAL,
            ConditionExpression="commit_id = :commit",
            ExpressionAttributeValues=values | {":commit": row["commit_id"]},
        )

    def _new_key(self, subdomain: str, field: str) -> bytes:
        answer = self.kms.generate_data_key(
            KeyId=environ["TOKEN_KEY_ARN"],
            KeySpec="AES_256",
            EncryptionContext=self._context(subdomain, field),
        )
        return answer["CiphertextBlob"]

    @staticmethod
    def _context(subdomain: str, field: str) -> dict[str, str]:
        place = {"application": environ["APPLICATION"], "stage": environ["STAGE"]}
        return place | {"grant": GRANT, "subdomain": subdomain, "field": field}


def timed[T](threads: int, work: Callable[[T], None], items: Sequence[T]) -> float:
    """Return how long all of it took."""
    with ThreadPoolExecutor(threads) as pool:
        since = perf_counter()
        list(pool.map(work, items))
        return perf_counter() - since


def main(order: dict[str, Any]) -> dict[str, float]:
    """Do both, the import first: its rows are then sealed anew."""
    bare, lines, threads = BareJobs(order["table"], order["threads"]), order["lines"], order["threads"]
    return {
        "import": timed(threads, bare.bring_in, lines),
        "rekey": timed(threads, bare.seal_anew, [line["subdomain"] for line in lines]),
    }


print(json.dumps(main(json.load(sys.stdin))))
