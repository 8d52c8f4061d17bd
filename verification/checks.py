"""What is tried: who, what, and how it must end.

The rule: for each identity something that must be allowed is tried first. Who is refused everything proves nothing.
What no policy can prevent, and what only shows how AWS judges, wants nothing: its line is a note.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from deployed.account import Account, Identity
from deployed.api import Api
from verification.stack import ENCODED, OTHER_GRANT, SUBDOMAIN, Deployed, install_key
from verification.verdict import Finding, Verdict, of_call, of_request
from zendesk_oauth.adapters.dynamodb_directory_rows import PROJECTED
from zendesk_oauth.adapters.dynamodb_token_reader import ATTRIBUTES

ACCESS, REFRESH = "access_token", "refresh_token"
NOT_FOR_WORKERS = ("callback", "connections", "installs", "publish", "revoke", "start")
NEVER_NAMES = {"#key": "connection_key"}
NEVER: Mapping[str, Any] = {
    "ConditionExpression": "attribute_exists(#key) AND attribute_not_exists(#key)",
    "ExpressionAttributeNames": NEVER_NAMES,
}
"""No row fulfils this, so a write that is let through writes nothing."""

type _Calls = Mapping[str, Callable[[], object]]


class Check(NamedTuple):
    """One thing that is tried; where nothing is `wanted`, it is tried to be known."""

    who: str
    what: str
    wanted: Verdict | None
    find: Callable[[], Finding]


class Wrapped(NamedTuple):
    """A data key as KMS wrapped it, and the context that it was wrapped under."""

    blob: bytes
    context: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is tried: the account, the stack in it, its API, and data keys to open."""

    account: Account
    deployed: Deployed
    api: Api
    own: Wrapped
    refresh: Wrapped
    foreign: Wrapped


def wrapped(kms: Any, deployed: Deployed, grant: str, field: str) -> Wrapped:  # noqa: ANN401 - an untyped client
    """Have KMS wrap a data key, which is thrown away; whoever runs this needs kms:GenerateDataKey on the token key."""
    context = deployed.context(grant, field)
    answer = kms.generate_data_key(
        KeyId=deployed.outputs["TokenKeyArn"], KeySpec="AES_256", EncryptionContext=context
    )
    return Wrapped(answer["CiphertextBlob"], context)


def all_checks(
    place: Place, worker: Identity, caller: Identity, operator: Identity, connections: Identity
) -> Iterator[Check]:
    """Yield every check: of a worker's reads, keys and calls, of the function `connections`, then of the API."""
    yield from _reads(place, worker)
    yield from _writes(place, worker)
    yield from _keys(place, worker)
    yield from _others(place, worker)
    yield from _events(place, worker)
    yield from _marks(place, connections)
    yield from _routes(place, worker, caller, operator)


def projection(*names: str) -> dict[str, object]:
    """Return the arguments that read these attributes and no more."""
    return {
        "ProjectionExpression": ", ".join(f"#{name}" for name in names),
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
    }


def _reads(place: Place, worker: Identity) -> Iterator[Check]:
    dynamodb, table = place.account.client("dynamodb", worker), place.deployed.outputs["ConnectionsTableName"]
    own, whole = place.deployed.row(place.deployed.grant), projection(*ATTRIBUTES)
    get = partial(dynamodb.get_item, TableName=table)
    yield allowed(worker, "read what a worker reads, of its own grant", partial(get, Key=own, **whole))
    near = place.deployed.row(f"{place.deployed.grant}x")
    install = {"TableName": place.deployed.outputs["InstallsTableName"], "Key": install_key()}
    yield from refused(
        worker,
        {
            "read a whole row": partial(get, Key=own),
            "read a refresh token": partial(get, Key=own, **projection(REFRESH)),
            "read its key beside the rest": partial(
                get, Key=own, **projection(*ATTRIBUTES, f"{REFRESH}_key")
            ),
            "read a refresh token in the old way": partial(get, Key=own, AttributesToGet=[REFRESH]),
            "read another grant's row": partial(get, Key=place.deployed.row(OTHER_GRANT), **whole),
            "read a row of a grant whose name begins alike": partial(get, Key=near, **whole),
            "read an install": partial(dynamodb.get_item, **install),
        },
    )
    yield from refused(worker, _reads_of_many(dynamodb, table, own))


def _reads_of_many(dynamodb: Any, table: str, own: Mapping[str, Mapping[str, str]]) -> _Calls:  # noqa: ANN401 - an untyped client
    key = own["connection_key"]["S"]
    statement = f"SELECT {REFRESH} FROM \"{table}\" WHERE connection_key = '{key}'"  # noqa: S608 - all are ours
    batch = {table: {"Keys": [own], **projection(*ATTRIBUTES)}}
    query = partial(dynamodb.query, TableName=table)
    return {
        "read a batch": partial(dynamodb.batch_get_item, RequestItems=batch),
        "read in a transaction": partial(
            dynamodb.transact_get_items, TransactItems=[{"Get": {"TableName": table, "Key": own}}]
        ),
        "read by PartiQL": partial(dynamodb.execute_statement, Statement=statement),
        "query the table": partial(query, **key_is("connection_key", key)),
        "query an index": partial(query, IndexName="listing", **key_is("list_shard", "shard-00")),
        "scan": partial(dynamodb.scan, TableName=table, Limit=1),
    }


def _writes(place: Place, worker: Identity) -> Iterator[Check]:
    dynamodb, table = place.account.client("dynamodb", worker), place.deployed.outputs["ConnectionsTableName"]
    own = place.deployed.row(place.deployed.grant)
    yield from refused(
        worker,
        {
            "put a row": partial(dynamodb.put_item, TableName=table, Item=own, **NEVER),
            "update a row": partial(dynamodb.update_item, TableName=table, Key=own, **NEVER),
            "delete a row": partial(dynamodb.delete_item, TableName=table, Key=own, **NEVER),
        },
    )


def _keys(place: Place, worker: Identity) -> Iterator[Check]:
    kms, key = place.account.client("kms", worker), place.deployed.outputs["TokenKeyArn"]
    own = place.own

    def opens(sealed: Wrapped, **changed: str) -> Callable[[], object]:
        context = {**sealed.context, **changed}
        return partial(kms.decrypt, KeyId=key, CiphertextBlob=sealed.blob, EncryptionContext=context)

    part = {"field": ACCESS, "grant": place.deployed.grant}
    yield allowed(worker, "open an access token of its own grant", opens(own))
    yield from refused(
        worker,
        {
            "open a refresh token": opens(place.refresh),
            "open another grant's access token": opens(place.foreign),
            "open with another stage's context": opens(own, stage="verify"),
            "open without a context": partial(kms.decrypt, KeyId=key, CiphertextBlob=own.blob),
            "open with a part of the context": partial(
                kms.decrypt, KeyId=key, CiphertextBlob=own.blob, EncryptionContext=part
            ),
            "make a data key": partial(
                kms.generate_data_key, KeyId=key, KeySpec="AES_256", EncryptionContext=own.context
            ),
            "encrypt": partial(
                kms.encrypt, KeyId=key, Plaintext=b"verify-aws", EncryptionContext=own.context
            ),
        },
    )


def _others(place: Place, worker: Identity) -> Iterator[Check]:
    deployed, account = place.deployed, place.account
    # DryRun asks for the permission and runs nothing.
    invoke = partial(account.client("lambda", worker).invoke, InvocationType="DryRun")
    secret, queue = deployed.parameters["ClientSecretArn"], deployed.outputs["RescueQueueUrl"]
    sqs, secretsmanager = account.client("sqs", worker), account.client("secretsmanager", worker)
    yield allowed(worker, "ask refresh", partial(invoke, FunctionName=deployed.function("refresh")))
    yield from refused(
        worker,
        {
            **{
                f"invoke {verb}": partial(invoke, FunctionName=deployed.function(verb))
                for verb in NOT_FOR_WORKERS
            },
            "read the client secret": partial(secretsmanager.get_secret_value, SecretId=secret),
            "look at the rescue queue": partial(
                sqs.get_queue_attributes, QueueUrl=queue, AttributeNames=["QueueArn"]
            ),
        },
    )


def _events(place: Place, worker: Identity) -> Iterator[Check]:
    """Yield what a worker must not do where events come from: a stream's records are whole rows."""
    outputs, account = place.deployed.outputs, place.account
    streams, sqs = account.client("dynamodbstreams", worker), account.client("sqs", worker)
    # No rule asks for this source, so that one that is let through wakes nobody.
    entry = {
        "EventBusName": outputs["EventBusName"],
        "Source": "verify-aws",
        "DetailType": "-",
        "Detail": "{}",
    }
    queues = ("UnpublishedQueueUrl", "UnpublishedDeadLetterQueueUrl", "UnreadBatchesQueueUrl")
    look = partial(sqs.get_queue_attributes, AttributeNames=["QueueArn"])
    yield from refused(
        worker,
        {
            "look at the stream of connections": partial(
                streams.describe_stream, StreamArn=outputs["ConnectionsTableStreamArn"]
            ),
            "look at the stream of installs": partial(
                streams.describe_stream, StreamArn=outputs["InstallsTableStreamArn"]
            ),
            "speak on the bus": partial(account.client("events", worker).put_events, Entries=[entry]),
            **{
                f"look at {name.removesuffix('Url')}": partial(look, QueueUrl=outputs[name])
                for name in queues
            },
        },
    )


def _marks(place: Place, connections: Identity) -> Iterator[Check]:
    dynamodb, table = (
        place.account.client("dynamodb", connections),
        place.deployed.outputs["ConnectionsTableName"],
    )
    row = {"TableName": table, "Key": place.deployed.row(place.deployed.grant)}
    get, update = partial(dynamodb.get_item, **row), partial(dynamodb.update_item, **row, **NEVER)
    names = NEVER_NAMES | {"#scopes": "scopes"}
    yield allowed(connections, "read what it shows", partial(get, **projection(*PROJECTED)))
    yield allowed(connections, "write what marks", update)
    yield from refused(
        connections,
        {
            "read a whole row": get,
            "read a refresh token": partial(get, **projection(REFRESH)),
            "write another attribute": partial(
                update, UpdateExpression="REMOVE #scopes", ExpressionAttributeNames=names
            ),
            "be shown the row that it writes": partial(update, ReturnValues="ALL_OLD"),
        },
    )
    shown = partial(update, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    yield Check(connections.name, "be shown a row by a condition that fails", None, partial(of_call, shown))


def _routes(place: Place, worker: Identity, caller: Identity, operator: Identity) -> Iterator[Check]:
    shown = f"/connections/{place.deployed.grant}/{SUBDOMAIN}"
    token, foreign = f"{shown}/token", f"/connections/{OTHER_GRANT}/{SUBDOMAIN}/token"
    encoded, nobody = f"/connections/{place.deployed.grant}/{ENCODED}", Identity("nobody")
    for who, path, wanted in (
        (caller, token, Verdict.ALLOWED),
        (caller, foreign, Verdict.REFUSED),
        (caller, shown, Verdict.REFUSED),
        (caller, "/connections", Verdict.REFUSED),
        (operator, "/connections?limit=1", Verdict.ALLOWED),
        (operator, shown, Verdict.ALLOWED),
        (operator, token, Verdict.REFUSED),
        (operator, f"{shown}/toke%6E", Verdict.REFUSED),
        (operator, f"{shown}%2Ftoken", Verdict.REFUSED),
        (operator, f"{encoded}/token", Verdict.REFUSED),
        (operator, encoded, None),
        (worker, token, Verdict.REFUSED),
        (worker, "/connections", Verdict.REFUSED),
        (nobody, token, Verdict.REFUSED),
        (nobody, shown, Verdict.REFUSED),
        (nobody, "/connections", Verdict.REFUSED),
    ):
        send = partial(place.api.get, path, who)
        yield Check(who.name, f"GET {path.partition('?')[0]}", wanted, partial(of_request, send))


def allowed(who: Identity, what: str, call: Callable[[], object]) -> Check:
    """Return the check that somebody may do something."""
    return Check(who.name, what, Verdict.ALLOWED, partial(of_call, call))


def refused(who: Identity, calls: _Calls) -> Iterator[Check]:
    """Yield the checks that somebody may do none of these."""
    for what, call in calls.items():
        yield Check(who.name, what, Verdict.REFUSED, partial(of_call, call))


def key_is(name: str, value: str) -> dict[str, object]:
    """Return the arguments that query one row at most, of this key."""
    return {
        "KeyConditionExpression": "#key = :value",
        "ExpressionAttributeNames": {"#key": name},
        "ExpressionAttributeValues": {":value": {"S": value}},
        "Limit": 1,
    }
