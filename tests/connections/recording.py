"""A client that passes calls on and keeps what was asked and answered, or is made to answer otherwise."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

type Call = Callable[..., Any]


class RecordingClient:
    """DynamoDB with ears. `instead` does an operation in the place of the table, and is given the real one."""

    def __init__(self, client: "DynamoDBClient") -> None:
        self._client = client
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[Any] = []
        self.instead: dict[str, Callable[..., Any]] = {}

    def __getattr__(self, name: str) -> Call:
        operation: Call = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            self.calls.append((name, arguments))
            instead = self.instead.get(name)
            answer = instead(operation, **arguments) if instead else operation(**arguments)
            self.answers.append(answer)
            return answer

        return call

    @property
    def names(self) -> list[str]:
        """The operations, in their order."""
        return [name for name, _ in self.calls]

    def as_client(self) -> "DynamoDBClient":
        """Return it under the type that it plays."""
        return cast("DynamoDBClient", self)
