"""Steps about what ends: a pair that an install has replaced, and a connection that an operator disconnects."""

from http import HTTPStatus

from local.demo.later import send, tick, work
from local.demo.refreshes import expect_living_token
from local.demo.scene import Scene, eventually

_ACME = "/connections/default/acme"


def replaced(scene: Scene) -> None:
    """Have what the second install of acme replaced be revoked."""
    tick(scene, "unfinished")
    # The schedule may have been first: then it is at work on the row at this moment.
    row = eventually(lambda: scene.rows.replaced("acme"), lambda row: row["status"] == "disconnected")
    scene.expect_row("row of the replaced pair", row, status="disconnected", revocation="revoked")
    sealed = [name for name in row if name.startswith(("access_token", "refresh_token"))]
    scene.expect("what is left of its tokens in the row", sealed, [])
    scene.expect_row("connection", scene.rows.connection("acme"), status="active", epoch=2)
    scene.expect("acme's token pairs alive at Zendesk", scene.living_tokens("acme"), 1)


def disconnected(scene: Scene) -> None:
    """End acme's connection, as an operator."""
    answer = send(scene, "operator", scene.stack.operator, "DELETE", _ACME)
    scene.expect("status", answer.status_code, HTTPStatus.ACCEPTED)
    row = eventually(lambda: scene.rows.connection("acme"), lambda row: row["status"] == "disconnected")
    scene.expect_row("connection", row, status="disconnected", revocation="revoked")
    sealed = [name for name in row if name.startswith(("access_token", "refresh_token"))]
    scene.expect("what is left of its tokens in the row", sealed, [])
    scene.expect("acme's token pairs alive at Zendesk", scene.living_tokens("acme"), 0)
    [met] = work(scene, "acme")
    scene.expect("told", (met.error, met.reason), ("reconnect_required", "disconnected"))
    refused = send(scene, "worker", scene.stack.token_caller, "GET", f"{_ACME}/token")
    scene.expect("over HTTP", refused.status_code, HTTPStatus.CONFLICT)
    again = send(scene, "operator", scene.stack.operator, "DELETE", _ACME)
    scene.expect("once more", again.status_code, HTTPStatus.OK)


def connected_again(scene: Scene) -> None:
    """Install where a connection was ended."""
    before = scene.rows.connection("acme")
    scene.expect("page", scene.connect(scene.browser(), "acme").status, HTTPStatus.OK)
    epoch, generation = (int(str(before[name])) + 1 for name in ("epoch", "generation"))
    after = scene.rows.connection("acme")
    scene.expect_row(
        "connection", after, status="active", epoch=epoch, generation=generation, revocation=None
    )
    expect_living_token(scene, "acme", work(scene, "acme"))
