"""The AWS clients of a function, from one session, with limits that leave time to answer.

A client is built from botocore's own session: boto3 would add its resources, which nothing here uses.
The dependency layer brings the part of botocore's data that we use; where that is missing, as in tests, botocore's
own is read, which says the same at ten times the length.
"""

import logging
from os.path import dirname, isdir, join
from typing import TYPE_CHECKING, cast

import botocore
from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_kms import KMSClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

AWS_MODELS = join(dirname(dirname(botocore.__file__)), "aws_models")  # noqa: PTH118, PTH120 - pathlib costs 1 ms
CONNECT_SECONDS = 1
READ_SECONDS = 3
ATTEMPTS = 2
"""The call and one repeat, which hides a throttle or a connection that died in a frozen container.

A third would come after twice 1 + 3 seconds, when the 10 s of a function that a person waits for are over.
"""


class OurLoader(Loader):
    """Reads botocore's data from our part of it, and takes that for botocore's own."""

    BUILTIN_DATA_PATH = AWS_MODELS


class AwsClients:
    """Clients over one session, so that credentials are looked up and endpoint data loaded once."""

    def __init__(self, read_seconds: float = READ_SECONDS, connect_seconds: float = CONNECT_SECONDS) -> None:
        # At DEBUG botocore prints what KMS and Secrets Manager answer: data keys and the client secret.
        # Whoever turns the root logger up, the runtime among them, is not to get that.
        logging.getLogger("botocore").setLevel(logging.INFO)
        self._session = Session()
        if isdir(OurLoader.BUILTIN_DATA_PATH):  # noqa: PTH112 - as above
            self._session.register_component("data_loader", OurLoader())
        self._config = Config(
            connect_timeout=connect_seconds,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            tcp_keepalive=True,
            parameter_validation=False,  # the adapters' tests validate; at run time it would only cost
        )

    def dynamodb(self) -> "DynamoDBClient":
        """Return a DynamoDB client."""
        return cast("DynamoDBClient", self._client("dynamodb"))

    def events(self) -> "EventBridgeClient":
        """Return an EventBridge client."""
        return cast("EventBridgeClient", self._client("events"))

    def kms(self) -> "KMSClient":
        """Return a KMS client."""
        return cast("KMSClient", self._client("kms"))

    def secretsmanager(self) -> "SecretsManagerClient":
        """Return a Secrets Manager client."""
        return cast("SecretsManagerClient", self._client("secretsmanager"))

    def sqs(self) -> "SQSClient":
        """Return an SQS client that asks once: whoever sends here has somewhere else to turn to meanwhile."""
        once = Config(retries={"mode": "standard", "total_max_attempts": 1})
        return cast("SQSClient", self._client("sqs", self._config.merge(once)))

    def lambda_functions(self, read_seconds: float = READ_SECONDS) -> "LambdaClient":
        """Return a Lambda client that never invokes twice: the second could meet the first still at work.

        What is handed over is answered at once; whoever awaits a function's own answer says for how long.
        """
        once = Config(read_timeout=read_seconds, retries={"mode": "standard", "total_max_attempts": 1})
        return cast("LambdaClient", self._client("lambda", self._config.merge(once)))

    def _client(self, service: str, config: Config | None = None) -> object:
        return self._session.create_client(service, config=config or self._config)
