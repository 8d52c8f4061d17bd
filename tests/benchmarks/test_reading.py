import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import programs, reading
from benchmarks.answers import DATA_KEY, WRAPPED_KEY
from benchmarks.crowds import Meeting, crowd, judge
from benchmarks.programs import UnexpectedAnswerError
from benchmarks.rows import connection_row, seal_settings
from zendesk_oauth.adapters.dynamodb_token_reader import stored_token
from zendesk_oauth.adapters.kms_data_keys import ACCESS_TOKEN, DataKey, encryption_context
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealContext, SealedToken

LIVING = hashlib.sha256(b"the living token").hexdigest()


def worker(**met: Any) -> dict[str, Any]:
    """Return what a worker met who followed: it began at 10 and had the living token at 11."""
    return {"began": 10.0, "ended": 11.0, "generation": 2, "digest": LIVING, "led": False} | met


def answer(*workers: dict[str, Any], committed: tuple[float, ...] = (10.6,)) -> dict[str, Any]:
    """Return what a process told."""
    return {"committed": list(committed), "workers": list(workers)}


def test_followers_wait_from_the_commit_or_from_their_own_beginning() -> None:
    """Who came late waited only since then; who had it before did not wait; who refreshed is left out."""
    late, early = worker(began=10.9), worker(ended=10.5)
    told = [answer(worker(led=True), worker()), answer(late, early, committed=())]
    meeting = judge(1, told, LIVING)
    assert meeting.posts == 1
    assert meeting.waits == pytest.approx([0.4, 0.1, 0.0])


@pytest.mark.parametrize(
    "told",
    [
        answer(worker(), worker(digest="another")),
        answer(worker(generation=1)),
        answer({"began": 10.0, "error": "RefreshPendingError", "led": False}),
        answer(worker(), committed=()),
        answer(worker(), committed=(10.1, 10.2)),
    ],
    ids=["another token", "the old generation", "an error", "no commit", "two commits"],
)
def test_a_crowd_that_was_not_served_gives_no_number(told: dict[str, Any]) -> None:
    """Waiting is told only of workers who all have the living token of the next generation, by one commit."""
    with pytest.raises(UnexpectedAnswerError):
        judge(1, [told], LIVING)


def test_waits_of_all_meetings_come_to_one_distribution() -> None:
    """The hundredth that waits longest is seen in the p99, and every expiry's POSTs are kept apart."""
    met = crowd(100, [Meeting(1, [0.1] * 99), Meeting(2, [0.9] * 99)])
    assert (met.posts, met.followers) == ([1, 2], 198)
    assert (met.wait_ms_p50, met.wait_ms_p99) == (500.0, 900.0)


def test_a_worker_alone_follows_nobody() -> None:
    """With no follower nothing was waited."""
    assert crowd(1, [Meeting(1, [])]).wait_ms_p99 == 0.0


def test_a_ratio_is_ours_against_the_bare_calls() -> None:
    """More than 1 is slower than the bare calls; it is told in milliseconds, with the turns that it took."""
    told = reading.beside({"ours": 0.005, "bare": 0.004, "rounds": 300})
    assert (told.ours_ms, told.bare_ms, told.rounds, told.ratio) == (5.0, 4.0, 300, 1.25)


def test_a_warm_read_is_counted_in_look_ups() -> None:
    """Nanoseconds are the machine's, so what is judged is how many looks into a dictionary they are."""
    read = reading.Reading(20.0, 150.0, {}, 1.0)
    assert (read.warm_read_in_look_ups, read.warm_reads_per_second) == (7.5, 6_666_667)


@pytest.mark.parametrize("due", [True, False])
def test_the_row_of_a_connection_opens_under_the_canned_key(*, due: bool) -> None:
    """What is measured opens a token: it is sealed for its place, by the key that the endpoint gives."""
    row = connection_row(due=due)
    decoded: Any = {name: _decoded(value) for name, value in row.items()}
    stored = stored_token(decoded, "default", Subdomain("acme"))
    context = encryption_context(seal_settings(), SealContext("default", Subdomain("acme")), ACCESS_TOKEN)
    sealed = SealedToken(stored.ciphertext, stored.wrapped_key)
    opened = DataKey(DATA_KEY, WRAPPED_KEY, context).open(sealed, stored.commit_id)
    assert opened.reveal() == "a" * 64
    assert (stored.wrapped_key, stored.refresh_at.year >= 2100) == (WRAPPED_KEY, not due)


def _decoded(value: dict[str, Any]) -> dict[str, Any]:
    from base64 import b64decode  # noqa: PLC0415 - here alone

    return {kind: b64decode(content) if kind == "B" else content for kind, content in value.items()}


def test_an_order_comes_to_a_process_on_its_input() -> None:
    """What is measured is told there, so that no token stands on a command line."""
    command = [sys.executable, "-c", "import sys; print(sys.stdin.read())"]
    assert programs.run(command, {}, json.dumps({"reads": 1})) == '{"reads": 1}\n'


def test_every_measured_script_is_there() -> None:
    """A name that leads nowhere is noticed here and not at the end of a long run."""
    scripts = {path.stem for path in Path("benchmarks/measured").glob("*.py")}
    assert scripts == {"bare_calls", "bare_jobs", "beside_bare", "crowd", "table_jobs", "warm_reads"}
