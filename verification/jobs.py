"""What is tried of the three jobs of the operator's command: each goes through a whole table, and opens nothing."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from cli.jobs.import_rows import READ, READ_TO_REPLACE
from cli.jobs.restore_update import SEEN
from deployed.account import Identity
from verification.checks import (
    NEVER,
    NEVER_NAMES,
    Check,
    Place,
    allowed,
    key_is,
    projection,
    refused,
)

type Calls = Mapping[str, Callable[[], object]]


def job_checks(place: Place, rekeyer: Identity, importer: Identity, restorer: Identity) -> Iterator[Check]:
    """Yield the checks of each, what it is for before all else."""
    yield from _rekey(place, rekeyer)
    yield from _import(place, importer)
    yield from _restore(place, restorer)


def _rekey(place: Place, who: Identity) -> Iterator[Check]:
    rows = Rows(place, who)
    query = partial(rows.dynamodb.query, TableName=rows.table)
    yield allowed(
        who, "name every connection", partial(query, IndexName="listing", **key_is("list_shard", "shard-00"))
    )
    yield allowed(who, "ask refresh", invokes(place, who, "refresh"))
    yield from refused(
        who,
        {
            "query the table": partial(query, **key_is("connection_key", rows.key["connection_key"]["S"])),
            "read a row": partial(rows.dynamodb.get_item, TableName=rows.table, Key=rows.key),
            "read a batch": rows.batch(*READ),
            "update a row": rows.update("status"),
            "scan": rows.scan,
            "invoke callback": invokes(place, who, "callback"),
            **opens(place, who),
            "make a data key": makes(place, who),
        },
    )


def _import(place: Place, who: Identity) -> Iterator[Check]:
    rows = Rows(place, who)
    yield allowed(who, "look whether a row is there", rows.batch(*READ))
    yield allowed(who, "read the encrypted pair that it replaces", rows.batch(*READ_TO_REPLACE))
    yield allowed(who, "write a row", rows.update("status"))
    yield allowed(who, "make a data key", makes(place, who))
    yield allowed(who, "ask refresh", invokes(place, who, "refresh"))
    yield from refused(
        who,
        {
            "read whole rows": rows.whole,
            "read a row": partial(rows.dynamodb.get_item, TableName=rows.table, Key=rows.key),
            "write another attribute": rows.update("restored_from"),
            "be shown the row that it writes": partial(rows.update("status"), ReturnValues="ALL_OLD"),
            "scan": rows.scan,
            "invoke callback": invokes(place, who, "callback"),
            **opens(place, who),
            "make a data key of another stage": makes(place, who, stage="verify"),
        },
    )


def _restore(place: Place, who: Identity) -> Iterator[Check]:
    rows = Rows(place, who)
    yield allowed(who, "compare rows", rows.batch(*SEEN))
    yield allowed(who, "bring a row back", rows.update("status"))
    yield from refused(
        who,
        {
            "read whole rows": rows.whole,
            "be shown the row that it writes": partial(rows.update("status"), ReturnValues="ALL_OLD"),
            "scan the stack's own table": rows.scan,
            "ask refresh": invokes(place, who, "refresh"),
            **opens(place, who),
            "make a data key": makes(place, who),
        },
    )


class Rows:
    """Calls of the connections table, of a row that nobody has."""

    def __init__(self, place: Place, who: Identity) -> None:
        self.dynamodb = place.account.client("dynamodb", who)
        self.table = place.deployed.outputs["ConnectionsTableName"]
        self.key = place.deployed.row(place.deployed.grant)
        self.scan = partial(self.dynamodb.scan, TableName=self.table, Limit=1)
        self.whole = partial(self.dynamodb.batch_get_item, RequestItems={self.table: {"Keys": [self.key]}})

    def batch(self, *names: str) -> Callable[[], object]:
        """Return a batch of one row, as far as these attributes."""
        return partial(
            self.dynamodb.batch_get_item,
            RequestItems={self.table: {"Keys": [self.key], **projection(*names)}},
        )

    def update(self, name: str) -> Callable[..., object]:
        """Return a write of this attribute, whose condition never holds."""
        names = {"ExpressionAttributeNames": NEVER_NAMES | {f"#{name}": name}}
        changed: dict[str, Any] = {**NEVER, **names, "UpdateExpression": f"REMOVE #{name}"}
        return partial(self.dynamodb.update_item, TableName=self.table, Key=self.key, **changed)


def opens(place: Place, who: Identity) -> Calls:
    """Return the calls that open the data key of an access token and that of a refresh token."""
    kms, key = place.account.client("kms", who), place.deployed.outputs["TokenKeyArn"]
    return {
        f"open {what}": partial(
            kms.decrypt, KeyId=key, CiphertextBlob=sealed.blob, EncryptionContext=sealed.context
        )
        for what, sealed in (("an access token", place.own), ("a refresh token", place.refresh))
    }


def makes(place: Place, who: Identity, **changed: str) -> Callable[[], object]:
    """Return the call that has a data key made, under a context that may be changed."""
    return partial(
        place.account.client("kms", who).generate_data_key,
        KeyId=place.deployed.outputs["TokenKeyArn"],
        KeySpec="AES_256",
        EncryptionContext={**place.own.context, **changed},
    )


def invokes(place: Place, who: Identity, verb: str) -> Callable[[], object]:
    """Return a dry run, which asks for the permission and runs nothing."""
    return partial(
        place.account.client("lambda", who).invoke,
        InvocationType="DryRun",
        FunctionName=place.deployed.function(verb),
    )
