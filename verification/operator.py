"""What is tried of whoever is on call: looks at everything, may ask `refresh`, and gets at no row, key or message."""

from collections.abc import Iterator
from functools import partial

from deployed.account import Identity
from verification.checks import REFRESH, Check, Place, allowed, key_is, projection, refused
from verification.jobs import Calls, Rows, invokes, makes, opens
from zendesk_oauth.adapters.dynamodb_token_reader import ATTRIBUTES

NOBODYS = "verify-aws"
"""Names nothing that there is, so a call that is let through changes nothing."""


def operator_checks(place: Place, operator: Identity) -> Iterator[Check]:
    """Yield the checks of an operator, what the policy is for before all else."""
    rows, queue = Rows(place, operator), place.deployed.outputs["RescueQueueUrl"]
    look = partial(place.account.client("sqs", operator).get_queue_attributes, QueueUrl=queue)
    yield allowed(operator, "ask refresh", invokes(place, operator, "refresh"))
    yield allowed(operator, "look at a table", partial(rows.dynamodb.describe_table, TableName=rows.table))
    yield allowed(operator, "look at the rescue queue", partial(look, AttributeNames=["QueueArn"]))
    yield from refused(operator, _reads(rows))
    yield from refused(operator, {**opens(place, operator), "make a data key": makes(place, operator)})
    yield from refused(operator, _changes(place, operator))


def _reads(rows: Rows) -> Calls:
    get = partial(rows.dynamodb.get_item, TableName=rows.table, Key=rows.key)
    query = partial(rows.dynamodb.query, TableName=rows.table)
    return {
        "read a row": get,
        "read what a worker reads": partial(get, **projection(*ATTRIBUTES)),
        "read a refresh token": partial(get, **projection(REFRESH)),
        "read a batch": rows.whole,
        "query an index": partial(query, IndexName="listing", **key_is("list_shard", "shard-00")),
        "scan": rows.scan,
        "update a row": rows.update("status"),
    }


def _changes(place: Place, operator: Identity) -> Calls:
    outputs, client = place.deployed.outputs, partial(place.account.client, identity=operator)
    secret, queue = place.deployed.parameters["ClientSecretArn"], outputs["RescueQueueUrl"]
    functions, refresh = client("lambda"), place.deployed.function("refresh")
    return {
        "invoke connections": invokes(place, operator, "connections"),
        "read the client secret": partial(client("secretsmanager").get_secret_value, SecretId=secret),
        "look at the stream of connections": partial(
            client("dynamodbstreams").describe_stream, StreamArn=outputs["ConnectionsTableStreamArn"]
        ),
        "delete a rescued pair": partial(client("sqs").delete_message, QueueUrl=queue, ReceiptHandle=NOBODYS),
        "replace a function's code": partial(
            functions.update_function_code, FunctionName=refresh, ZipFile=b"-", DryRun=True
        ),
        "take a role's permissions": partial(
            client("iam").delete_role_policy, RoleName=NOBODYS, PolicyName=NOBODYS
        ),
    }
