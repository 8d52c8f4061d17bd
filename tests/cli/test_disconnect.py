"""`zendesk-oauth disconnect`: asks first, ends, and follows it if it is told to."""

import json
from typing import Any

import pytest

from cli.commands import disconnect as command
from cli.exits import Exit
from cli.output import Output
from tests.cli.aws import LoopbackAws, Said
from tests.cli.conftest import Type
from tests.cli.samples import at, connection

SHOW, END = "GET /connections/default/acme", "DELETE /connections/default/acme"


def ending(status: str = "disconnecting", revocation: str | None = None) -> Said:
    """Return a connection that is being ended, or has been."""
    ended_at = at(minutes=-1) if revocation else None
    disconnect = {"since": at(minutes=-2), "ended_at": ended_at, "revocation": revocation}
    return Said(body=connection(status=status, disconnect=disconnect))


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody sit at the terminal."""
    monkeypatch.setattr(Output, "is_watched", property(lambda _: True))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses that are made, which take no time here."""
    made: list[float] = []
    monkeypatch.setattr(command, "sleep", made.append)
    return made


def test_it_is_ended_without_a_question_where_that_is_said(aws: LoopbackAws, typed: Type) -> None:
    """The schedule goes on, and it says so."""
    aws.say(SHOW, Said(body=connection()), ending())
    aws.say(END, Said(202, {"status": "disconnecting"}))
    result = typed("disconnect", "acme", "--yes")
    assert result.exit_code == Exit.DONE, result.stderr
    assert len(aws.requests(END)) == 1
    assert "a schedule goes on until it is done" in result.stdout


@pytest.mark.usefixtures("watched")
def test_it_asks_whoever_sits_there(aws: LoopbackAws, typed: Type) -> None:
    """With what would be lost; a no does nothing."""
    aws.say(SHOW, Said(body=connection()))
    result = typed("disconnect", "acme", input="n\n")
    assert (result.exit_code, aws.requests(END)) == (Exit.AMISS, [])
    assert "only a new install brings it back" in result.stderr
    assert "Nothing was done." in result.stderr


@pytest.mark.usefixtures("watched")
def test_a_yes_is_enough(aws: LoopbackAws, typed: Type) -> None:
    """Typed at the question."""
    aws.say(SHOW, Said(body=connection()), ending())
    aws.say(END, Said(202, {"status": "disconnecting"}))
    assert typed("disconnect", "acme", input="y\n").exit_code == Exit.DONE
    assert len(aws.requests(END)) == 1


def test_a_script_has_to_say_yes(aws: LoopbackAws, typed: Type) -> None:
    """Without a terminal nobody can be asked, and nothing is done."""
    aws.say(SHOW, Said(body=connection()))
    result = typed("disconnect", "acme")
    assert (result.exit_code, aws.requests(END)) == (Exit.USAGE, [])
    assert "say --yes" in result.stderr


@pytest.mark.parametrize(
    ("revocation", "code", "said"),
    [("revoked", Exit.DONE, "revoked at Zendesk"), ("refused", Exit.AMISS, "ask an admin of the account")],
)
def test_it_is_followed_to_its_end(
    aws: LoopbackAws, typed: Type, pauses: list[float], revocation: str, code: Exit, said: str
) -> None:
    """As long as it takes; a token that lives on is amiss."""
    aws.say(SHOW, *[Said(body=connection())] * 2, ending(), ending(), ending("disconnected", revocation))
    aws.say(END, Said(202, {"status": "disconnecting"}))
    result = typed("disconnect", "acme", "--yes", "--wait")
    assert (result.exit_code, said in result.stdout) == (code, True)
    assert pauses == [command.PAUSE_SECONDS] * 2


def test_one_that_has_ended_is_asked_for_again_without_a_question(aws: LoopbackAws, typed: Type) -> None:
    """It is safe to repeat."""
    aws.say(SHOW, ending("disconnected", "revoked"))
    aws.say(END, Said(200, {"status": "disconnected"}))
    result = typed("disconnect", "acme")
    assert (result.exit_code, "revoked at Zendesk" in result.stdout) == (Exit.DONE, True)
    assert "to do" not in result.stdout


def test_a_new_install_ends_the_waiting(aws: LoopbackAws, typed: Type, pauses: list[float]) -> None:
    """It is not taken for the end."""
    aws.say(SHOW, *[Said(body=connection())] * 2, ending(), Said(body=connection(epoch=2)))
    aws.say(END, Said(202, {"status": "disconnecting"}))
    result = typed("disconnect", "acme", "--yes", "--wait")
    assert (result.exit_code, len(pauses)) == (Exit.AMISS, 1)
    assert "a new install has come in between" in result.stderr


def test_it_waits_for_two_minutes_at_most(aws: LoopbackAws, typed: Type, pauses: list[float]) -> None:
    """Zendesk may be away for longer than a person waits."""
    aws.say(SHOW, ending())
    aws.say(END, Said(202, {"status": "disconnecting"}))
    result = typed("disconnect", "acme", "--yes", "--wait")
    assert (result.exit_code, sum(pauses)) == (Exit.NOT_NOW, 120.0)


def test_a_new_install_in_between_is_not_ended(aws: LoopbackAws, typed: Type) -> None:
    """The API has refused, and nothing was ended."""
    aws.say(SHOW, Said(body=connection()))
    aws.say(END, Said(409, {"error": "replaced", "message": "-"}))
    result = typed("disconnect", "acme", "--yes")
    assert (result.exit_code, "nothing was ended" in result.stderr) == (Exit.AMISS, True)


@pytest.mark.usefixtures("watched")
def test_an_install_during_the_question_is_not_ended(aws: LoopbackAws, typed: Type) -> None:
    """What was asked about is no longer there."""
    aws.say(SHOW, Said(body=connection()), Said(body=connection(epoch=2)))
    result = typed("disconnect", "acme", input="y\n")
    assert (result.exit_code, aws.requests(END)) == (Exit.AMISS, [])
    assert "nothing was ended" in result.stderr


@pytest.mark.usefixtures("watched")
def test_a_question_that_is_stopped_ends_as_stopped(aws: LoopbackAws, typed: Type) -> None:
    """Ctrl-C, or the end of what is typed; the question itself is whole lines."""
    aws.say(SHOW, Said(body=connection()))
    result = typed("disconnect", "acme", input="")
    assert (result.exit_code, aws.requests(END)) == (Exit.STOPPED, [])
    assert "\N{REPLACEMENT CHARACTER}" not in result.stderr


def test_machines_get_four_fields(aws: LoopbackAws, typed: Type) -> None:
    """Where it is, how it stands, and how its token ended."""
    aws.say(SHOW, ending("disconnected", "revoked"))
    aws.say(END, Said(200, {"status": "disconnected"}))
    told: dict[str, Any] = json.loads(typed("disconnect", "acme", "--json").stdout)
    assert told == {
        "grant": "default",
        "subdomain": "acme",
        "status": "disconnected",
        "revocation": "revoked",
    }
