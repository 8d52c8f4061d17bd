"""The installs in DynamoDB: each step of an install is one conditional write of its one row.

A failed condition gives the row back, so that nobody has to read it; and because the SDK repeats a write whose
answer was lost, each write leaves something in the row by which it knows itself again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from zendesk_oauth.adapters import dynamodb_install_rows as rows
from zendesk_oauth.adapters.aws_errors import code_of
from zendesk_oauth.adapters.dynamodb_attributes import Item, instant, optional_text, text
from zendesk_oauth.adapters.dynamodb_errors import CONDITION_FAILED, row_in_the_way, store_errors
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate
from zendesk_oauth.adapters.dynamodb_install_attributes import establishment_of, install_item, install_of
from zendesk_oauth.errors import VersionConflictError
from zendesk_oauth.models.connection import Establishment
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.ports import Candidate, Change, DueRevocation, OfferedStart, Proof, Verdict

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

REVOCATIONS_INDEX = "revocations"
_IS_ABSENT = "attribute_not_exists(install_id)"
_ALREADY_OVER = frozenset({InstallStatus.FAILED, InstallStatus.ABANDONED})


@dataclass(frozen=True, slots=True)
class DynamoDBInstallStore:
    """The port `InstallStore` on a low-level client: one call per method, two where a lease is not a candidate's."""

    client: "DynamoDBClient"
    table: str

    def put_if_absent(self, install: Install) -> None:
        """Write a new install; one that carries the same fingerprints is our own write, repeated."""
        item = install_item(install)
        with store_errors():
            try:
                self.client.put_item(
                    TableName=self.table,
                    Item=item,
                    ConditionExpression=_IS_ABSENT,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if code_of(error) != CONDITION_FAILED or not rows.is_own_install(row_in_the_way(error), item):
                    raise

    def find(self, install_id: str) -> Install | None:
        """Read one strongly."""
        row = self._get(install_id)
        return install_of(row) if row else None

    def start_offered(self, start: OfferedStart, now: datetime) -> Change:
        """Make the offered row pending; a pending row of this browser is our own write, repeated."""
        made, row = self._update(start.invitation.install_id, rows.start_update(start, now))
        return _change(row, made=made or rows.is_own_start(row, start))

    def consume(self, proof: Proof, verdict: Verdict, now: datetime) -> Change:
        """Make the pending row what the verdict says; a row with this attempt is our own write, repeated."""
        made, row = self._update(proof.install_id, rows.consume_update(proof, verdict, now))
        is_ours = row is not None and optional_text(row, "attempt_id") == verdict.attempt_id
        return _change(row, made=made or is_ours)

    def fail(self, install_id: str, reason: str, unrevoked: Establishment | None, now: datetime) -> Change:
        """End an exchange as failed; a row failed for this reason is our own write, repeated."""
        made, row = self._update(install_id, rows.fail_update(reason, unrevoked, now))
        failed = install_of(row) if row is not None else None
        is_ours = failed is not None and (failed.status, failed.reason) == (InstallStatus.FAILED, reason)
        return Change(made or is_ours, failed)

    def keep_candidate(
        self, install_id: str, establishment: Establishment, handle_fingerprint: str, now: datetime
    ) -> None:
        """Turn an exchange into a candidate; a row with this commit id is our own write, repeated."""
        made, row = self._update(install_id, rows.candidate_update(establishment, handle_fingerprint, now))
        is_ours = row is not None and optional_text(row, "commit_id") == establishment.sealed.commit_id
        if not (made or is_ours):
            raise VersionConflictError("the install is not exchanging")

    def find_candidate(self, install_id: str) -> Candidate | None:
        """Read one strongly, with its sealed pair if it still has it."""
        row = self._get(install_id)
        return Candidate(install_of(row), establishment_of(row)) if row else None

    def due_for_revocation(self, now: datetime) -> Iterator[str]:
        """Name what is due, page after page, each asked for when the one before is used up."""
        with store_errors():
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                IndexName=REVOCATIONS_INDEX,
                KeyConditionExpression="revoke_shard = :due AND revoke_at <= :now",
                ExpressionAttributeValues={":due": text(rows.REVOCATION_SHARD), ":now": instant(now)},
            )
            for page in pages:
                for key in page["Items"]:
                    yield key["install_id"]["S"]

    def lease_revocation(self, install_id: str, now: datetime) -> DueRevocation | None:
        """Take one for five minutes. The write that takes a candidate abandons it, and so competes with confirming."""
        leased, row = self._update(install_id, rows.lease_update(InstallStatus.CANDIDATE, now))
        if not leased and row is not None and (seen := install_of(row).status) in _ALREADY_OVER:
            leased, row = self._update(install_id, rows.lease_update(seen, now))
        return rows.due_revocation(row) if leased and row is not None else None

    def close_revocation(self, install_id: str, outcome: str) -> None:
        """Erase the sealed tokens and note how it ended; nothing happens where it was closed before."""
        self._update(install_id, rows.close_update(outcome))

    def _get(self, install_id: str) -> Item | None:
        with store_errors():
            answer = self.client.get_item(
                TableName=self.table, Key={"install_id": text(install_id)}, ConsistentRead=True
            )
        return answer.get("Item")

    def _update(self, install_id: str, update: ConditionalUpdate) -> tuple[bool, Item | None]:
        """Return whether the write was made and the row as it is now: the new one, or the one that was in the way."""
        with store_errors():
            try:
                answer = self.client.update_item(
                    TableName=self.table,
                    Key={"install_id": text(install_id)},
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **update.arguments(),
                )
            except ClientError as error:
                if code_of(error) != CONDITION_FAILED:
                    raise
                return False, row_in_the_way(error)
        return True, answer["Attributes"]


def _change(row: Item | None, *, made: bool) -> Change:
    return Change(made, install_of(row) if row is not None else None)
