"""Steps about what stands on a connection: a worker that answers a ticket, and the operator's list."""

import json

from local.demo.scene import Scene, eventually

_ACME = "acme"


def noted(scene: Scene) -> None:
    """Let a customer of acme write a ticket; follow it from Zendesk's webhook to the worker's note."""
    zendesk, example = scene.stack.zendesk, scene.stack.worker_stack
    hook = example.hear_of(zendesk, _ACME)
    ticket = zendesk.add_ticket(_ACME, "My order is late", "It should have come on Monday.")
    number = int(str(ticket["id"]))
    scene.teller.told(
        "Zendesk", f"ticket {number} of acme: “{ticket['subject']}”; its webhook tells the receiver", "→"
    )
    zendesk.webhooks.settle()
    [invocation] = [one for one in zendesk.webhooks.invocations if one.webhook is hook]
    scene.expect("the receiver's answer to the signed webhook", invocation.statuses, [204])
    notes = eventually(lambda: scene.notes(_ACME, number), bool)
    for note in notes:
        scene.teller.told("worker", f"internal note on ticket {number}: {note}", "←")
    scene.expect("notes on the ticket", len(notes), 1)
    scene.expect(
        "they name the event that they answer",
        str(json.loads(invocation.body)["id"]) in notes[0],
        wanted=True,
    )
    eventually(example.left, lambda messages: messages == 0)
    before = example.worked()
    zendesk.webhooks.send(invocation)
    scene.teller.told("Zendesk", "sends the same event once more", "→")
    scene.expect("the receiver's answers", invocation.statuses, [204, 204])
    worked = eventually(example.worked, lambda times: times > before)
    scene.expect("the worker has come to its end with it", worked > before, wanted=True)
    scene.expect("notes on the ticket, still", len(scene.notes(_ACME, number)), 1)


def listed(scene: Scene) -> None:
    """Type what an operator types, with the operator's policy alone, and hold the list to the rows."""
    scene.teller.told("operator", "zendesk-oauth list", "→")
    typed = scene.stack.desk.type("list")
    for line in typed.output.splitlines():
        scene.teller.told("", line.rstrip(), "←")
    scene.expect("exit code", typed.code, 0)
    connections = json.loads(scene.stack.desk.type("list", "--json").output)
    told = sorted((each["grant"], each["subdomain"], each["status"]) for each in connections)
    kept = sorted(
        (str(row["grant"]), str(row["subdomain"]), str(row["status"])) for row in scene.rows.connections()
    )
    scene.expect("connections listed", len(told), len(kept))
    scene.expect("each with the state that its row has", told == kept, wanted=True)
    for subdomain in (_ACME, "globex"):
        shown = scene.stack.desk.type("show", subdomain)
        scene.expect(f"exit code of `show {subdomain}`", shown.code, 0 if subdomain == _ACME else 5)
