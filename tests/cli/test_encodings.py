"""What a command prints where standard output is not UTF-8, and where what it prints moves a terminal's cursor."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.app import main
from cli.exits import Exit
from cli.output import json_text, plain, write_what_can_be_encoded
from tests.cli.aws import Asked, LoopbackAws, Said
from tests.cli.samples import at, connection

ROOT = Path(__file__).parents[2]
PYTHONPATH = f"{ROOT}:{ROOT / 'layers/zendesk_oauth'}"
HOSTILE = "Zo\xeb \u20ac \u202egnp\x9b31m\x7f\ud83d\x1b[2J"
"""Latin-1, the euro, a bidi override, C1 and DEL, half a pair of surrogates, and an escape."""
ENCODINGS = ("cp1252", "latin-1", "ascii")
PROBED = {
    **dict.fromkeys(("expires_at", "user_id", "cause")),
    "outcome": "alive",
    "status": "active",
    "epoch": 1,
    "generation": 3,
    "scopes": [HOSTILE],
    "role": HOSTILE,
}
REFRESHED = {"outcome": HOSTILE, "epoch": 1, "generation": 3, "retry_at": None}
EXAMINED = {"secret": HOSTILE, "client": None, "key": "ok"}
ENDED = {"since": at(hours=-1), "ended_at": at(hours=-1), "revocation": HOSTILE}
CONNECTION = connection(
    status="disconnected",
    disconnect=ENDED,
    user_reference=HOSTILE,
    authorized_user_role=HOSTILE,
    reconnect_reason=HOSTILE,
)
INVITED = {"start_url": f"https://a/{HOSTILE}", "install": "i", "expires_at": "2027-01-04T12:00:00Z"}
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "list": (),
    "show": ("acme",),
    "probe": ("acme",),
    "refresh": ("acme",),
    "disconnect": ("acme", "--yes"),
    "invite": ("Zo\xeb \u20ac",),
    "doctor": ("acme",),
}


def answer(asked: Asked) -> Said:
    """Answer as the function `refresh`."""
    return Said(body=PROBED if "probe" in asked.body else EXAMINED if "examine" in asked.body else REFRESHED)


@pytest.fixture
def hostile(aws: LoopbackAws) -> LoopbackAws:
    """Give a deployment in which every text that others can write is hostile to a terminal."""
    aws.parameters |= {"StartMode": "confirmed", "ZendeskBaseUrl": aws.address}
    aws.outputs["PublicBaseUrl"] = aws.address
    aws.others = Said(403, {"message": HOSTILE})
    aws.say("GET /connections", Said(body={"connections": [CONNECTION], "cursor": None}))
    for method in ("GET", "DELETE"):
        aws.say(f"{method} /connections/default/acme", Said(body=CONNECTION))
    aws.say("POST /invitations", Said(body=INVITED))
    aws.say("invoke", answer)
    return aws


class Printed(NamedTuple):
    """How a command ended, and what it printed."""

    code: object
    out: bytes


@pytest.fixture
def printing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Printed]:
    """Return what runs the command as its process does, on a standard output that is strict in an encoding."""

    def run(encoding: str, *words: str) -> Printed:
        out = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding=encoding, errors="strict"))
        monkeypatch.setattr(sys, "argv", ["zendesk-oauth", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        sys.stdout.flush()
        assert "report it" not in capsys.readouterr().err
        return Printed(ended.value.code, out.getvalue())

    return run


@pytest.mark.parametrize("name", COMMANDS)
def test_r35_no_encoding_of_the_output_ends_a_command(
    hostile: LoopbackAws, printing: Callable[..., Printed], name: str
) -> None:
    """R35: in every encoding the exit code is that of UTF-8, JSON is the same, and no terminal is moved by either."""
    assert hostile.address
    words = (name, *COMMANDS[name])
    usual, machines = printing("utf-8", *words), printing("utf-8", *words, "--json")
    assert usual.out
    assert json.loads(machines.out)
    assert all(byte in b"\n" or 0x20 <= byte < 0x7F for byte in machines.out)
    for encoding in ENCODINGS:
        people = printing(encoding, *words)
        assert (encoding, people.code) == (encoding, usual.code)
        assert len(people.out.splitlines()) == len(usual.out.splitlines())
        assert not set(people.out.decode(encoding)) & set("\x1b\x7f\x9b\u202e\ud83d")
    assert printing("ascii", *words, "--json") == machines


def run(encoding: Mapping[str, str], *words: str) -> bytes:
    """Run a command in a process of its own that ends well or with problems, and return what it prints."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env={**environ, "PYTHONPATH": PYTHONPATH, **encoding},
        check=False,
        capture_output=True,
    )
    assert done.returncode in {Exit.DONE, Exit.AMISS}, done.stderr
    return done.stdout


def test_r35_case_cli_latin1_output(hostile: LoopbackAws) -> None:
    """R35: on a cp1252 console `doctor` marks its lines with ASCII, and `list` and `show` print what they can."""
    assert hostile.address
    marks = run({"PYTHONIOENCODING": "cp1252"}, "doctor", "acme").decode("cp1252").splitlines()
    assert {line[:1] for line in marks} == {"+", "x"}
    [row] = json.loads(run({"PYTHONIOENCODING": "ascii"}, "list", "--json"))
    assert row["user_reference"] == HOSTILE
    plain_c = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    assert b"Zo?" in run(plain_c, "show", "acme")


def test_json_is_printable_ascii_that_reads_as_it_was() -> None:
    """Each character outside printable ASCII is escaped, a lone surrogate too, and comes back by a parser."""
    everything = "".join(map(chr, [*range(0x300), *range(0x2000, 0x2100), 0xDFFF, 0xD800, 0xFEFF, 0x1F600]))
    text = json_text({everything: [everything]})
    assert all(character == "\n" or " " <= character <= "~" for character in text)
    assert json.loads(text) == {everything: [everything]}


def test_what_is_not_printable_is_replaced() -> None:
    """C0, C1, DEL, bidi controls, line separators and lone surrogates become one mark each."""
    unprintable = [*range(0x20), *range(0x7F, 0xA0), 0x061C, *range(0x200B, 0x2010), *range(0x2028, 0x202F)]
    unprintable += [*range(0x2060, 0x2070), 0xD800, 0xDFFF, 0xFEFF, 0xE0001]
    text = "".join(map(chr, unprintable))
    assert plain(f"a{text}\xeb") == f"a{chr(0xFFFD) * len(text)}\xeb"


def test_an_output_that_is_no_file_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream of a test or of an embedding program has its own way with errors, and a closed one has none."""
    for stream in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stdout", stream)
        write_what_can_be_encoded()
        assert sys.stdout is stream
