"""Steps about what is told: everything above has come over the event bus, once and in an order that can be known."""

import json
from collections import Counter

from local.demo.scene import Scene, eventually
from local.listener import Heard

_ACME = "acme"


def told(scene: Scene) -> None:
    """Hold what was heard of acme to what its row and the installs' rows say."""
    row = scene.rows.connection(_ACME)
    newest = f"{int(str(row['epoch'])):010d}.{int(str(row['generation'])):010d}"
    heard = eventually(
        lambda: scene.stack.listener.heard(_ACME),
        lambda events: any(str(event.detail.get("order", "")).startswith(newest) for event in events),
    )
    for event in sorted(
        heard, key=lambda event: (event.detail["occurred_at"], event.detail.get("order", ""))
    ):
        scene.teller.told("bus", _line(event), "←")
    counted = Counter(event.name for event in heard)
    scene.expect(
        "installs that were told for its row's epoch", counted["ConnectionEstablished"], row["epoch"]
    )
    installs = [install for install in scene.rows.installs() if install["subdomain"] == _ACME]
    failed = sum(install["status"] == "failed" for install in installs)
    scene.expect("failed installs told", counted["InstallFailed"], failed)
    scene.expect("disconnects told", counted["Disconnected"], 1)
    different = len({event.detail["id"] for event in heard})
    scene.expect("facts among them", different, len(heard))


def denial(scene: Scene) -> None:
    """Show the event of the denial, whole."""
    [event] = eventually(lambda: scene.stack.listener.heard("globex"), bool)
    scene.teller.told("bus", f"{event.name}  {json.dumps(dict(event.detail))}", "←")
    scene.expect("event", (event.name, event.detail["reason"]), ("InstallDenied", "access_denied"))
    [row] = [install for install in scene.rows.installs() if install["subdomain"] == "globex"]
    scene.expect("the install that it names is the denied one", event.detail["install"], row["install_id"])
    alive = scene.stack.zendesk.tokens.all()
    text = json.dumps([dict(each.detail) for each in scene.stack.listener.heard()])
    tokens = [token for pair in alive for token in (pair.access_token, pair.refresh_token)]
    scene.expect("tokens in all events so far", sum(token in text for token in tokens), 0)


def abandoned(scene: Scene) -> None:
    """Begin an install and leave it; remove its row by hand, as DynamoDB does when its time is over."""
    under_way = scene.start(scene.browser(), scene.start_url(subdomain="vandelay"))
    scene.teller.told("demo", "removes the pending install's row, as DynamoDB does within days of its end")
    scene.rows.remove_install(under_way.install_id)
    [event] = eventually(lambda: scene.stack.listener.heard("vandelay"), bool)
    scene.teller.told("bus", _line(event), "←")
    scene.expect("event", (event.name, event.detail["reason"]), ("InstallAbandoned", "over"))


def _line(event: Heard) -> str:
    detail = event.detail
    place = f"  order {detail['order']}" if "order" in detail else ""
    reason = f"  {detail['reason']}" if detail.get("reason") else ""
    return f"{event.name}  {detail['grant']}#{detail['subdomain']}{place}{reason}"
