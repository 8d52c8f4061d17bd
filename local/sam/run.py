"""`python -m local.sam.run`, which is `make sam-local`: every event and every route through the real `sam local`.

The last line is `sam local: N invocations, N as named; M routes, M answered`, and the exit status is 1 otherwise.
Two invocations run at a time; those that need each other's rows follow one another.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from local import places
from local.demo.rows import Rows
from local.processes import CommandFailedError, Processes, Stopped, stoppable
from local.progress import Progress
from local.sam import example_installs as examples
from local.sam.expected import AFTER_ANOTHER, CONFIRMED, EVENTS, Returned, Shown, mode_of
from local.sam.ready import ready_for_sam_local
from local.sam.routes import play_routes, running_api
from local.sam.seed import seed, seed_installs
from local.sam.settings import CONFIG
from local.stack import LocalStack, running_stack

_INVOKE_SECONDS = 180
_CHAINS = (("refresh", "connections"), ("start", "callback", "installs", "revoke", "publish"))
"""Functions whose events are played one after the other; the chains are played side by side."""
_INSTALLS = ("start/", "callback/", "installs/")
"""Events that change the rows of installs: each is played after these were seeded again."""


@dataclass(frozen=True, slots=True)
class SamLocal:
    """Invokes functions in containers. `environment` is all that SAM CLI is given."""

    stack: LocalStack
    environment: Mapping[str, str] = field(repr=False)

    def problem(self, name: str) -> str | None:
        """Invoke the function with an event; return how the result differs from what the event is named for."""
        result = self._invoke(name)
        expected = EVENTS[name]
        if isinstance(expected, Returned):
            return _differs(result, expected)
        problem = _differs_on_the_web(result, expected)
        if problem is None and expected.became:
            row = Rows(self.stack.emulator, self.stack.deployments[mode_of(name)]).install(
                examples.install_id(expected.letter)
            )
            return None if row["status"] == expected.became else f"the install is {row['status']}"
        return problem

    def _invoke(self, name: str) -> Any:  # noqa: ANN401 - whatever the function returns
        """Run `sam local invoke` and return the function's JSON, which is its last line of standard output."""
        verb = name.partition("/")[0]
        command = [
            *(str(places.SAM), "local", "invoke", f"{verb.title()}Function"),
            *("--event", str(places.ROOT / "events" / f"{name}.json"), "--config-file", str(CONFIG)),
            *(("--config-env", CONFIRMED) if mode_of(name) == CONFIRMED else ()),
        ]
        done = subprocess.run(
            command,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=_INVOKE_SECONDS,
            cwd=places.ROOT,
        )
        lines = done.stdout.strip().splitlines()
        try:
            return json.loads(lines[-1])
        except (IndexError, ValueError):
            raise CommandFailedError(f"sam local invoke returned nothing:\n{done.stderr[-2000:]}") from None


def _differs(result: Any, expected: Returned) -> str | None:  # noqa: ANN401 - whatever the function returned
    members = result if isinstance(result, Mapping) else {}
    wrong = {
        name: members.get(name) for name, value in expected.members.items() if members.get(name) != value
    }
    return f"returned {wrong}" if wrong else None


def _differs_on_the_web(result: Any, expected: Shown) -> str | None:  # noqa: ANN401 - as above
    if result.get("statusCode") != expected.status:
        return f"answered {result.get('statusCode', result)}"
    if expected.text not in result["body"]:
        return f"its body lacks {expected.text!r}"
    if expected.location not in result["headers"].get("Location", ""):
        return f"its Location lacks {expected.location!r}"
    return None


def _play(sam: SamLocal, console: Console) -> list[bool]:
    """Play every event, two chains at a time, and print a line for each."""

    def play(name: str) -> bool:
        try:
            if name.startswith(_INSTALLS) and name not in AFTER_ANOTHER:
                seed_installs(sam.stack.emulator.client)
            problem = sam.problem(name)
        except (CommandFailedError, subprocess.TimeoutExpired) as error:
            problem = str(error)
        mark = "✔" if problem is None else "✘"
        console.print(f"  {mark} events/{name}.json {problem or ''}", markup=False, highlight=False)
        return problem is None

    ending = threading.Event()  # a signal ends the run after the invocations that have begun

    def chain(functions: tuple[str, ...]) -> list[bool]:
        names = [name for name in EVENTS if name.partition("/")[0] in functions]
        return [play(name) for name in names if not ending.is_set()]

    pool = ThreadPoolExecutor(len(_CHAINS))
    try:
        return [one for results in pool.map(chain, _CHAINS) for one in results]
    finally:
        ending.set()
        pool.shutdown()


def main() -> int:
    """Play everything against a stack of this run; return the exit status."""
    console = Console(soft_wrap=True)
    try:
        with stoppable(), running_stack(Progress(console)) as stack, ready_for_sam_local(stack) as engine:
            if engine is None:
                console.print("sam local: no container engine has Lambda's image; run scripts/lambda-image")
                return 1
            seed(stack.emulator.client)
            environment = {**stack.emulator.environment(), **engine.environment}
            console.print("\nEvery event of events/, through sam local invoke:")
            invocations = _play(SamLocal(stack, environment), console)
            console.print("\nEvery route, through sam local start-api:")
            with Processes() as processes, running_api(processes, environment) as address:
                routes = play_routes(address, console)
    except Stopped:
        console.print("Stopped; nothing is running any more.")
        return 1
    except CommandFailedError as error:
        console.print(str(error), markup=False, highlight=False)
        return 1
    named, answered = sum(invocations), sum(routes)
    console.print(
        f"\nsam local: {len(invocations)} invocations, {named} as named; {len(routes)} routes, {answered} answered"
    )
    return 0 if all((*invocations, *routes)) else 1


if __name__ == "__main__":
    sys.exit(main())
