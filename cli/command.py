"""Makes a command of a function: gives it a desk, the options that every command has, and a plain end.

The rule: expected trouble is a sentence on standard error and an exit code, never a traceback; of what nobody foresaw
only its kind and its place are told, since its text may quote anything.
"""

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Annotated, Any

import typer

from cli.desk import DEFAULT_STACK, Desk
from cli.errors import CommandError, OutputError, RefusedError, writing
from cli.exits import Exit
from cli.output import Output

StackName = Annotated[
    str, typer.Option("--stack", envvar="ZENDESK_OAUTH_STACK", help="Name of the deployed stack.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Say the result as JSON.")]

type Work = Callable[..., Exit | None]
"""What a command does: its first parameter is the desk, the others are its own arguments and options."""


def command(work: Work) -> Callable[..., None]:
    """Return what Typer calls: the work, with `--stack` and `--json` beside its own options."""
    signature = inspect.signature(work, eval_str=True)
    _, *own = signature.parameters.values()
    common = [
        inspect.Parameter(
            "stack", inspect.Parameter.KEYWORD_ONLY, default=DEFAULT_STACK, annotation=StackName
        ),
        inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson),
    ]

    @wraps(work)
    def run(*, stack: str, as_json: bool, **given: object) -> None:
        output = Output(as_json=as_json)
        with told_plainly(output):
            if sys.stdout is None:
                raise RefusedError("standard output is closed, so nothing could be told")
            ended = work(Desk(stack, output), **given)
            with writing():
                sys.stdout.flush()  # here, where it is known what to do if nobody reads it
            raise typer.Exit(ended or Exit.DONE)

    typed: Any = run
    typed.__signature__ = signature.replace(parameters=[*own, *common])
    typed.__annotations__ = {each.name: each.annotation for each in (*own, *common)}
    return run


@contextmanager
def told_plainly(output: Output) -> Iterator[None]:
    """Say what keeps a command from its end, and end it with the exit code of that."""
    try:
        with _in_words(output):
            yield
    except OutputError as broken:
        if isinstance(broken.error, BrokenPipeError):
            _write_no_more()
            raise typer.Exit(Exit.UNREAD) from None
        why = os.strerror(broken.error.errno) if broken.error.errno else type(broken.error).__name__
        with suppress(OutputError):  # both may be on one full disk
            output.say(f"zendesk-oauth: the output cannot be written: {why}")
        _write_no_more()
        raise typer.Exit(Exit.NOT_NOW) from None


@contextmanager
def _in_words(output: Output) -> Iterator[None]:
    try:
        yield
    except (typer.Exit, typer.BadParameter, OutputError):
        raise
    except (KeyboardInterrupt, typer.Abort):
        output.say("zendesk-oauth: stopped")
        raise typer.Exit(Exit.STOPPED) from None
    except CommandError as error:
        output.say(f"zendesk-oauth: {error}")
        raise typer.Exit(error.exit_code) from None
    except Exception as error:  # noqa: BLE001 - the border: its text may quote anything
        from cli.trouble import trouble_of, unforeseen  # noqa: PLC0415 - it loads botocore, which has its errors there

        trouble = trouble_of(error)
        output.say(f"zendesk-oauth: {trouble or unforeseen(error)}")
        raise typer.Exit(trouble.exit_code if trouble else Exit.BROKEN) from None


def _write_no_more() -> None:
    """Let both ways out lead nowhere, so that what is left in them is no trouble when the process ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
