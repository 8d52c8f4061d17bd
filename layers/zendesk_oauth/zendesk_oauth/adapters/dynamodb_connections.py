"""The connections in DynamoDB: a connection and the outcome of its install are written in one transaction.

The pair that a new one replaces is still alive at Zendesk. So the same transaction moves it, encrypted as it is, to a
row of its own, which the `unfinished` schedule disconnects. An expression cannot copy from one row to another: the
first transaction is for a row without a pair, and where it fails, the answer has the row that was in the way, which a
second one replaces. A first install costs one transaction, an install over a living connection two.
"""

import hashlib
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from botocore.exceptions import ClientError

from zendesk_oauth.adapters.aws_errors import code_of
from zendesk_oauth.adapters.dynamodb_attributes import Item, text
from zendesk_oauth.adapters.dynamodb_connection_rows import (
    confirm_update,
    connection_update,
    establish_update,
)
from zendesk_oauth.adapters.dynamodb_errors import cancellation_reasons, store_errors
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate
from zendesk_oauth.adapters.dynamodb_replaced_rows import replaced_write
from zendesk_oauth.errors import StoreError, StoreUnavailableError, VersionConflictError
from zendesk_oauth.models.connection import Establishment
from zendesk_oauth.models.install import InstallStatus
from zendesk_oauth.ports import Candidate

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

ATTEMPTS = 6
"""Transactions tried for one commit: two for a row with a pair, the rest where another write came in between."""
LONGEST_FIRST_PAUSE = 0.05
"""Seconds; doubled for each further pause, and drawn between nothing and that, so that rivals part ways."""
CANCELLED = "TransactionCanceledException"
CONDITION_FAILED = "ConditionalCheckFailed"
_PASSES_BY_ITSELF = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_TOKEN_LENGTH = 36


@dataclass(frozen=True, slots=True)
class _Commit:
    """One commit: what is written, and the outcome of its install."""

    establishment: Establishment
    install_id: str
    outcome: ConditionalUpdate
    now: datetime

    @property
    def commit_id(self) -> str:
        return self.establishment.sealed.commit_id


@dataclass(frozen=True, slots=True)
class DynamoDBConnectionStore:
    """The port `ConnectionStore` on a low-level client. `pause` waits that many seconds."""

    client: "DynamoDBClient"
    installs_table: str
    connections_table: str
    pause: Callable[[float], None] = time.sleep

    def establish(self, establishment: Establishment, install_id: str, now: datetime) -> None:
        """Write the connection and its install's outcome; a commit that was made all the same is not repeated."""
        outcome = establish_update(establishment, now)
        self._commit(_Commit(establishment, install_id, outcome, now))

    def confirm(self, candidate: Candidate, now: datetime) -> None:
        """Write the candidate as the connection; a commit that was made all the same is not repeated."""
        if candidate.establishment is None:
            raise VersionConflictError("the candidate has no sealed pair")
        outcome = confirm_update(candidate.install, candidate.establishment, now)
        self._commit(_Commit(candidate.establishment, candidate.install.install_id, outcome, now))

    def _commit(self, commit: _Commit) -> None:
        before = _Before()
        for attempt in range(ATTEMPTS):
            reasons = self._transact(self._writes(commit, before))
            if reasons is None or _is_made(reasons[0], commit):
                return
            codes = [reason.get("Code") for reason in reasons]
            if codes[0] == CONDITION_FAILED:
                raise VersionConflictError("the install is not what it was")
            if CONDITION_FAILED in codes:
                before = before.corrected(reasons)
            elif _PASSES_BY_ITSELF.isdisjoint(codes):
                raise StoreError(f"transaction cancelled: {codes}")
            else:
                self.pause(_jittered(attempt))
        raise StoreUnavailableError("the transaction met others each time")

    def _transact(self, writes: "list[TransactWriteItemTypeDef]") -> Sequence[Mapping[str, Any]] | None:
        """Return None where it was written, else the reason of each of its writes."""
        with store_errors():
            try:
                self.client.transact_write_items(
                    TransactItems=writes, ClientRequestToken=request_token(writes)
                )
            except ClientError as error:
                if code_of(error) != CANCELLED:
                    raise
                return cancellation_reasons(error)
        return None

    def _writes(self, commit: _Commit, before: "_Before") -> "list[TransactWriteItemTypeDef]":
        connection = connection_update(commit.establishment, commit.install_id, commit.now, before.connection)
        writes = [
            commit.outcome.in_transaction(
                self.installs_table,
                {"install_id": text(commit.install_id)},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ),
            connection.in_transaction(
                self.connections_table,
                {"connection_key": text(commit.establishment.key)},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ),
        ]
        if before.connection is not None and not before.is_kept:
            writes.append(replaced_write(self.connections_table, before.connection, commit.now))
        return writes


class _Before(NamedTuple):
    """The connection's row before the commit, if it has a pair; `is_kept` says that this pair has its own row already.

    A pair that a restore has brought back can have one: it is revoked there, or was.
    """

    connection: Item | None = None
    is_kept: bool = False

    def corrected(self, reasons: Sequence[Mapping[str, Any]]) -> Self:
        """Return it as the reasons of a cancelled transaction show it."""
        if reasons[1].get("Code") != CONDITION_FAILED:
            return self._replace(is_kept=True)
        row = reasons[1].get("Item", {})
        return type(self)(row if "access_token" in row else None)


def request_token(writes: "Sequence[TransactWriteItemTypeDef]") -> str:
    """Return the token by which DynamoDB knows a repeated transaction for ten minutes.

    It is made of all that is written, the commit id in it too: the same commit has the same token, and no other
    content ever meets it, which DynamoDB would refuse.
    """
    content = json.dumps(writes, sort_keys=True, default=bytes.hex)
    return hashlib.sha256(content.encode()).hexdigest()[:_TOKEN_LENGTH]


def _is_made(install_reason: Mapping[str, Any], commit: _Commit) -> bool:
    """Tell whether the install's row shows this very commit: the answer to it was lost, or it was sent twice."""
    row = install_reason.get("Item", {})
    is_connected: bool = row.get("status") == text(InstallStatus.CONNECTED)
    is_mine: bool = row.get("commit_id") == text(commit.commit_id)
    return is_connected and is_mine


def _jittered(attempt: int) -> float:
    return random.uniform(0, LONGEST_FIRST_PAUSE * 2**attempt)  # noqa: S311 - a pause is no secret
