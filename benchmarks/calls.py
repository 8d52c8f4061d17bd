"""The calls that each situation makes, counted at the canned endpoint, where every call has to come by.

Each is counted for the first event of a container and for a later one: the client secret is read only in the first,
and a key that is warm costs no call.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.answers import Call, Json
from benchmarks.artefact import Artefact
from benchmarks.canned import CannedEndpoint
from benchmarks.programs import Program, Run, read_run, run

type Counts = Mapping[str, int]

SECRET_READ = "SecretsManager.GetSecretValue"  # noqa: S105 - the name of a call
_EXCHANGE = {"DynamoDB.UpdateItem": 1, "KMS.GenerateDataKey": 2, "POST /oauth/tokens": 1}
MINIMUM: Mapping[str, Counts] = {
    "start": {"DynamoDB.PutItem": 1},
    "deny": {"DynamoDB.UpdateItem": 1},
    "allow": {**_EXCHANGE, "GET /api/v2/users/me.json": 1, "DynamoDB.TransactWriteItems": 1},
    "failed_exchange": {**_EXCHANGE, "DynamoDB.UpdateItem": 2},
    "refresh": {"DynamoDB.GetItem": 1, "DynamoDB.UpdateItem": 2, "POST /oauth/tokens": 1},
    "refresh_not_due": {"DynamoDB.GetItem": 1},
    "token": {"DynamoDB.GetItem": 1},
    "publish": {"EventBridge.PutEvents": 1},
    "worker": {},
}
"""What each situation needs in a container that has had an event before, and no call more."""
FIRST: Mapping[str, Counts] = {
    "allow": {SECRET_READ: 1},
    "failed_exchange": {SECRET_READ: 1},
    "refresh": {SECRET_READ: 1, "KMS.Decrypt": 2},
    "token": {"KMS.Decrypt": 1},
    "worker": {"DynamoDB.GetItem": 1, "KMS.Decrypt": 1},
}
"""What the first event of a container needs besides: the client secret, keys that are not warm, and a first look."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What one situation calls, in the first event of a container and in a later one, and what it logs and sends."""

    name: str
    function: str
    first: Sequence[Call]
    later: Sequence[Call]
    logged_bytes: int
    sent_bytes: int
    later_ms: float

    @property
    def counts(self) -> dict[str, Counts]:
        """The calls by name."""
        return {"first": count(self.first), "later": count(self.later)}

    @property
    def minimum(self) -> dict[str, Counts]:
        """The calls that it must make, by name."""
        later = MINIMUM[self.name]
        return {"first": {**later, **FIRST.get(self.name, {})}, "later": later}


def count(calls: Sequence[Call]) -> dict[str, int]:
    """Return how often each call was made."""
    return dict(sorted(Counter(call.name for call in calls).items()))


def observe(program: Program, artefact: Artefact, times: int = 11) -> Situation:
    """Run one event on its own, and then so many times in one container, and return what came over the wire.

    Raises UnexpectedAnswerError where the handler did not answer as it should, and ValueError where later events of
    one container differ from each other.
    """
    with CannedEndpoint() as endpoint:
        first, _ = _calls(program, artefact, endpoint, 1)
        all_calls, result = _calls(program, artefact, endpoint, times)
    later = all_calls[len(first) :]
    each = len(later) // (times - 1)
    if [call.name for call in later] != [call.name for call in later[:each]] * (times - 1):
        raise ValueError(f"later events of {program.name} differ from each other")
    seconds = sorted(seconds for seconds, _ in result.answers[1:])
    return Situation(
        name=program.name,
        function=program.function,
        first=first,
        later=later[:each],
        logged_bytes=result.logged // times,
        sent_bytes=sum(_length(answer) for _, answer in result.answers) // times,
        later_ms=round(seconds[len(seconds) // 2] * 1000, 2),
    )


def _calls(
    program: Program, artefact: Artefact, endpoint: CannedEndpoint, times: int
) -> tuple[list[Call], Run]:
    endpoint.script(program.scenario)
    output = run(program.command(times), program.surroundings(artefact, endpoint.url))
    return endpoint.seen(), read_run(program, output)


def _length(answer: Json | None) -> int:
    """Return about how many bytes an answer is on its way to the browser."""
    if answer is None:
        return 0
    headers = "".join(f"{name}: {value}\r\n" for name, value in answer.get("headers", {}).items())
    cookies = "".join(f"Set-Cookie: {cookie}\r\n" for cookie in answer.get("cookies", []))
    return len((headers + cookies + answer.get("body", "")).encode())
