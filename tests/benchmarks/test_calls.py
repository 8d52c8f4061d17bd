from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import programs
from benchmarks.artefact import Artefact
from benchmarks.calls import MINIMUM, observe
from benchmarks.programs import Program, UnexpectedAnswerError

START = Program("start", "start", programs.EVENTS / "start" / "acme.json", 302)
PUT = 'call("DynamoDB_20120810.PutItem")'


def test_the_calls_that_must_be_made_are_counted(artefact: Callable[[str], Artefact]) -> None:
    """A handler that makes one write an event is told so, for the first event of a container and for a later one."""
    seen = observe(START, artefact(PUT), times=3)
    assert seen.counts == {"first": {"DynamoDB.PutItem": 1}, "later": {"DynamoDB.PutItem": 1}}
    assert seen.counts == seen.minimum


def test_one_call_more_is_seen(artefact: Callable[[str], Artefact]) -> None:
    """The count can fail: a handler that reads before it writes does not make the minimum of calls."""
    seen = observe(START, artefact(f'{PUT}; call("DynamoDB_20120810.GetItem")'), times=3)
    assert seen.counts["later"] == {"DynamoDB.GetItem": 1, "DynamoDB.PutItem": 1}
    assert seen.counts != seen.minimum


def test_a_call_of_the_first_event_alone_is_told_apart(artefact: Callable[[str], Artefact]) -> None:
    """What is read once a container is counted for its first event and for no later one."""
    once = f'{PUT}; len(events) == 1 and call("secretsmanager.GetSecretValue")'
    seen = observe(START, artefact(once), times=3)
    assert seen.counts["first"] == {"DynamoDB.PutItem": 1, "SecretsManager.GetSecretValue": 1}
    assert seen.counts["later"] == {"DynamoDB.PutItem": 1}


def test_later_events_that_differ_are_refused(artefact: Callable[[str], Artefact]) -> None:
    """Events of one container that call differently have no one count, so there is an error and no number."""
    differing = f'{PUT}; len(events) == 3 and call("DynamoDB_20120810.Query")'
    with pytest.raises(ValueError, match="differ"):
        observe(START, artefact(differing), times=4)


def test_a_handler_that_answers_otherwise_is_not_measured(artefact: Callable[[str], Artefact]) -> None:
    """A handler that fails gives no number, however few its calls."""
    with pytest.raises(UnexpectedAnswerError, match="302"):
        observe(Program("start", "start", START.event, 200), artefact("pass"), times=2)


def test_a_handler_that_crashes_is_not_measured(artefact: Callable[[str], Artefact]) -> None:
    """A process that ends badly gives its last words and no number."""
    with pytest.raises(UnexpectedAnswerError, match="ZeroDivisionError"):
        observe(START, artefact("1 / 0"), times=2)


def test_every_situation_has_its_minimum() -> None:
    """No situation is counted without saying what it may call."""
    assert {program.name for program in programs.situations()} == set(MINIMUM)


def test_every_function_has_a_program_and_every_program_its_event() -> None:
    """A function without a cold start, or a program whose event is not there, is noticed here and not in a long run."""
    functions = {path.parent.name for path in Path("functions").glob("*/app.py")}
    assert {program.function for program in programs.functions()} == functions
    assert all(program.event.is_file() for program in [*programs.functions(), *programs.situations()])
