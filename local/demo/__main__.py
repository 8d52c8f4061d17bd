"""`python -m local.demo`, which is `make demo`: every step of the script, against the deployed template.

The rule: the last line is `demo: N steps, N as expected`, after everything was ended; exit 0 only if it is so.
"""

import sys

from rich.console import Console

from local.demo.redaction import shown_text
from local.demo.scene import Scene
from local.demo.script import SCRIPT, Step
from local.demo.tables import show_seen, show_stores
from local.demo.teller import Teller
from local.processes import CommandFailedError, Stopped, stoppable
from local.progress import Progress
from local.stack import LocalStack, running_stack

_WIDTH = 120
_INTERRUPTED = 130


def play(steps: tuple[Step, ...], stack: LocalStack, console: Console) -> dict[str, list[str]]:
    """Play the steps in order; return the titles of those that were not as expected, each with what was not."""
    unexpected: dict[str, list[str]] = {}
    for number, step in enumerate(steps, 1):
        teller = Teller(console)
        teller.title(number, step.title, step.why)
        try:
            step.play(Scene(stack, teller, step.mode))
        except Exception as error:  # noqa: BLE001 - a step that breaks is one that was not as expected
            teller.broke(error)
        if teller.unexpected:
            unexpected[f"{number} {step.title}"] = teller.unexpected
    return unexpected


def summary(steps: int, as_expected: int) -> str:
    """Return the last line."""
    return f"demo: {steps} steps, {as_expected} as expected"


def _told(error: Exception) -> str:
    """Return an error for people: of a command, what it said; of anything else, its type too."""
    return str(error) if isinstance(error, CommandFailedError) else f"{type(error).__name__}: {error}"


def main() -> int:
    """Play everything; return the exit status."""
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    steps = tuple(SCRIPT)
    as_expected = 0
    try:
        with stoppable(), running_stack(Progress(console)) as stack:
            unexpected = play(steps, stack, console)
            show_stores(console, stack)
            show_seen(console, stack)
        as_expected = len(steps) - len(unexpected)
        for title, reasons in unexpected.items():
            console.print(f"not as expected: {title}: {'; '.join(reasons)}", style="red", markup=False)
    except Stopped:
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever broke the stack, the last line has to say so
        console.print(shown_text(_told(error)), markup=False, highlight=False)
    print(summary(len(steps), as_expected), flush=True)
    return 0 if as_expected == len(steps) else 1


if __name__ == "__main__":
    sys.exit(main())
