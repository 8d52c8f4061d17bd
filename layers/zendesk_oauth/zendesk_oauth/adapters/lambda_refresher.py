"""Asks the function `refresh`, and hands work over to it.

No request is sent twice by the SDK. Asking again does no harm all the same: the row decides, and whoever comes
second hears that somebody is at it.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ReadTimeoutError,
)

from zendesk_oauth.adapters.aws_errors import code_of
from zendesk_oauth.errors import ConfigurationError, MalformedRequestError, RefreshPendingError
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.token import HANDED_OVER, IN_PROGRESS, RefreshReport, RefreshRequest

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

_NEVER_SENT = (NoCredentialsError, NoRegionError, PartialCredentialsError)
_PASSES_BY_ITSELF = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.CONFLICT})


class Awaiting(NamedTuple):
    """A client that waits for the end of a refresh, and its read time-out in seconds."""

    client: "LambdaClient"
    seconds: float


class LambdaRefresher:
    """The port `Refresher`. `client` hands over, which is answered at once, so its read time-out should be short.

    Without `awaiting` everything is handed over. Every method raises RefreshPendingError where nobody can be asked
    at the moment, and ConfigurationError where the role may not ask or there is no such function.
    """

    def __init__(self, client: "LambdaClient", function_name: str, awaiting: Awaiting | None = None) -> None:
        self.client = client
        self.function_name = function_name
        self.awaiting = awaiting

    def ask(self, request: RefreshRequest, seconds: float) -> RefreshReport:
        """Return how it ended. Where there is less time than it may take, hand it over instead of waiting."""
        event, awaiting = _event(request), self.awaiting
        if awaiting is None or seconds < awaiting.seconds:
            self._hand_over(event)
            return RefreshReport(HANDED_OVER)
        with self._errors():
            try:
                return self._awaited(awaiting.client, event)
            except ReadTimeoutError:
                return RefreshReport(HANDED_OVER)
            except ConnectionClosedError:
                # Mostly a connection that died while the container was frozen; if not, somebody is at it now.
                return RefreshReport(IN_PROGRESS)

    def answer_to(self, event: Mapping[str, object]) -> Mapping[str, object]:
        """Return what `refresh` answers to any of its events, whose end is awaited by `client`."""
        with self._errors():
            return self._answered(self.client, event)

    def ask_later(self, grant: str, subdomain: Subdomain, asked: str) -> None:
        """Have it looked after without waiting; `asked` is a `models.refresh.Asked`."""
        self._hand_over(_names(grant, subdomain) | {"asked": asked})

    def hand_over_finish(self, grant: str, subdomain: Subdomain, replaced: str | None = None) -> None:
        """Have a marked disconnect, or a replaced pair, looked after without waiting."""
        named = {} if replaced is None else {"replaced": replaced}
        self._hand_over({"finish": _names(grant, subdomain) | named})

    def _hand_over(self, event: Mapping[str, object]) -> None:
        with self._errors():
            self.client.invoke(InvocationType="Event", **self._named(event))

    def _awaited(self, client: "LambdaClient", event: Mapping[str, object]) -> RefreshReport:
        return _report(self._answered(client, event))

    def _answered(self, client: "LambdaClient", event: Mapping[str, object]) -> Mapping[str, object]:
        # Its published type says that every answer tells of an error.
        answer: Any = client.invoke(InvocationType="RequestResponse", **self._named(event))
        content = _json_object(answer["Payload"].read())
        if "FunctionError" in answer:
            raise _failed(content.get("errorType"))
        return content

    def _named(self, event: Mapping[str, object]) -> dict[str, Any]:
        return {"FunctionName": self.function_name, "Payload": json.dumps(event).encode()}

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._translated(error) from error
        except _NEVER_SENT as error:
            raise ConfigurationError((f"`refresh` cannot be asked: {type(error).__name__}",)) from error
        except BotoCoreError as error:
            raise RefreshPendingError(f"`refresh` cannot be asked: {type(error).__name__}") from error

    def _translated(self, error: ClientError) -> RefreshPendingError | ConfigurationError:
        code = code_of(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status in _PASSES_BY_ITSELF or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return RefreshPendingError(f"`refresh` cannot be asked: {code}")
        return ConfigurationError((f"{self.function_name} cannot be asked to refresh: {code}",))


def _failed(kind: object) -> RefreshPendingError | ConfigurationError:
    if kind == MalformedRequestError.__name__:
        return ConfigurationError(("`refresh` does not know what it is asked: it is of another version",))
    return RefreshPendingError(f"`refresh` failed: {kind}")


def _event(request: RefreshRequest) -> dict[str, object]:
    names = _names(request.grant, request.subdomain)
    if request.failed is None:
        return names | {"asked": "due"}
    epoch, generation = request.failed
    return names | {"asked": "failed", "seen": {"epoch": epoch, "generation": generation}}


def _names(grant: str, subdomain: Subdomain) -> dict[str, object]:
    return {"grant": grant, "subdomain": subdomain}


def _report(content: Mapping[str, object]) -> RefreshReport:
    outcome, retry_at = content.get("outcome"), content.get("retry_at")
    if not isinstance(outcome, str):
        raise RefreshPendingError("`refresh` gave no outcome")
    if not isinstance(retry_at, int | float):
        return RefreshReport(outcome)
    return RefreshReport(outcome, datetime.fromtimestamp(retry_at, UTC))


def _json_object(text: bytes) -> Mapping[str, object]:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
