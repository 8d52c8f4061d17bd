"""What the steps of a connection's later life have at hand: time that passes, workers, schedules, signed requests."""

import json
import time
from datetime import timedelta
from typing import Any

import requests

from local.caller import Caller
from local.demo.scene import Scene
from local.workers import Work


def let_pass(scene: Scene, seconds: int, subdomain: str, grant: str = "default") -> None:
    """Let time pass for one connection, by hand: it is the row that moves, not the clock."""
    said = (
        f"moves the times of {grant}#{subdomain} back by {timedelta(seconds=seconds)}, by hand in the table"
    )
    scene.teller.told("demo", said)
    scene.rows.let_pass(seconds, subdomain, grant)


def let_pass_until(scene: Scene, attribute: str, subdomain: str, grant: str = "default") -> None:
    """Let time pass until a second after an instant that the connection's row names."""
    instant = int(str(scene.rows.connection(subdomain, grant)[attribute]))
    let_pass(scene, instant - int(time.time()) + 1, subdomain, grant)


def work(scene: Scene, subdomain: str, *, containers: int = 1, threads: int = 1) -> list[Work]:
    """Have workers ask for a token and call Zendesk with it, and tell what they met, alike ones once."""
    count = containers * threads
    who = f"{count} workers in {containers} containers ask" if count > 1 else "a worker asks"
    scene.teller.told("worker", f"{who} for the token of {subdomain}, and calls Zendesk with it", "→")
    met = scene.stack.workers.call_zendesk(subdomain, containers=containers, threads=threads)
    for said in sorted({told_of(one) for one in met}):
        scene.teller.told("", said, "←")
    return met


def told_of(met: Work) -> str:
    """Return what a worker met, for people."""
    calls = "".join(f"Zendesk's API says {status}; " for status in met.statuses)
    if met.error is None:
        return f"{calls}has a token of generation {met.generation}"
    where = f"; connect again at {met.reconnect_url}" if met.reconnect_url else ""
    return f"{calls}is told {met.error}{f': {met.reason}' if met.reason else ''}{where}"


def tick(scene: Scene, schedule: str) -> None:
    """Invoke `refresh` as one of its schedules does, and expect that it does not fail."""
    event = json.dumps({"schedule": schedule})
    name = scene.stack.deployments[scene.mode].function_name("refresh")
    scene.teller.told("demo", f"invokes {name} with {event}, as the schedule does")
    answer = scene.stack.emulator.client("lambda").invoke(FunctionName=name, Payload=event)
    scene.expect("error of the function", answer.get("FunctionError"), None)


def renew_refresh(scene: Scene) -> None:
    """Have `refresh` begin in a new container, as after any change of it: what the old one remembers is gone."""
    name = scene.stack.deployments[scene.mode].function_name("refresh")
    scene.teller.told(
        "demo", f"has {name} begin anew, because its memory of when to ask again is not in the table"
    )
    functions = scene.stack.emulator.client("lambda")
    memory = functions.get_function_configuration(FunctionName=name)["MemorySize"]
    functions.update_function_configuration(FunctionName=name, MemorySize=memory)


def send(scene: Scene, who: str, caller: Caller, method: str, path: str) -> requests.Response:
    """Send a signed request, and show it with its answer."""
    scene.teller.told(who, f"{method} {path}, signed", "→")
    answer = caller.send(method, path)
    scene.teller.told("", f"{answer.status_code}  {json.dumps(_body(answer), ensure_ascii=False)}", "←")
    return answer


def _body(answer: requests.Response) -> Any:  # noqa: ANN401 - any JSON
    return answer.json()
