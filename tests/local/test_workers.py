"""Workers of the local stack: what they say of a token, and what happens where their process breaks."""

import sys
from pathlib import Path

import pytest

from local import places, workers
from local.demo.later import told_of
from local.processes import CommandFailedError
from local.workers import Work, Workers, digest_of

WORK = {"statuses": [200], "digest": "d", "generation": 3}
PROGRAM = """
import json, os, sys
order = json.load(sys.stdin)
if "BREAK" in os.environ:
    raise SystemExit("broken")
json.dump([{met}] * order["containers"] * order["threads"], sys.stdout)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program in the place of the workers' own, which needs a built layer."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.replace("{met}", repr(WORK)))
    monkeypatch.setattr(workers, "PROGRAM", path)
    monkeypatch.setattr(places, "PYTHON", Path(sys.executable))


@pytest.mark.usefixtures("program")
def test_every_thread_of_every_container_is_a_worker() -> None:
    """Two containers with three threads each are six workers, and each says what it met."""
    met = Workers({}).call_zendesk("acme", containers=2, threads=3)
    assert met == [Work("d", 3, (200,))] * 6


@pytest.mark.usefixtures("program")
def test_a_process_that_breaks_is_no_worker_without_a_token() -> None:
    """An error that is not the library's own is told as such, with what the process said."""
    with pytest.raises(CommandFailedError, match="broken"):
        Workers({"BREAK": "1"}).call_zendesk("acme")


def test_the_key_of_the_workers_is_not_shown() -> None:
    """Workers in a message show nothing of their environment."""
    assert "MARKED" not in repr(Workers({"AWS_SECRET_ACCESS_KEY": "MARKED"}))


def test_a_digest_is_that_of_the_stand_in() -> None:
    """It is SHA-256 in hex: two texts of one token can be compared, and neither is the token."""
    assert digest_of("token") == "3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0"


@pytest.mark.parametrize(
    ("met", "told"),
    [
        (
            Work("d", 3, (401, 200)),
            "Zendesk's API says 401; Zendesk's API says 200; has a token of generation 3",
        ),
        (Work(error="refresh_pending"), "is told refresh_pending"),
        (
            Work(
                error="reconnect_required",
                reason="answer_lost",
                reconnect_url="http://localhost:1/oauth/start",
            ),
            "is told reconnect_required: answer_lost; connect again at http://localhost:1/oauth/start",
        ),
    ],
)
def test_what_a_worker_met_is_told_in_a_line(met: Work, told: str) -> None:
    """The statuses of its calls in their order, and then its token or why it has none; no digest."""
    assert told_of(met) == told
