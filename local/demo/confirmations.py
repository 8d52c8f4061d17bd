"""Steps of the confirmed mode: the backend invites its user, and confirms who came back."""

from http import HTTPStatus

from local.demo.scene import Scene, eventually, handle_of, query_of

_ANN, _BOB = "user-ann", "user-bob"
_TEN_MINUTES = 600


def confirmed(scene: Scene) -> None:
    """Invite Ann, allow as her admin, confirm for her."""
    browser = scene.browser()
    start_url = scene.invite(_ANN, subdomain="wayne")
    under_way = scene.start(browser, start_url)
    scene.expect(
        "the invitation a second time", scene.browser("another").get(start_url).status, HTTPStatus.GONE
    )
    answer = browser.get(scene.allow(under_way))
    scene.expect("redirect", answer.status, HTTPStatus.SEE_OTHER)
    scene.expect("with one thing in its query", list(query_of(answer.location)), ["handle"])
    scene.expect_row("install", scene.rows.install(under_way.install_id), status="candidate")
    scene.expect("connection before the confirmation", scene.rows.connection("wayne"), {})
    handle = handle_of(answer.location)
    scene.expect("confirmed", scene.confirm(handle, _ANN), HTTPStatus.OK)
    scene.expect("confirmed once more", scene.confirm(handle, _ANN), HTTPStatus.OK)
    scene.expect_row("connection", scene.rows.connection("wayne"), status="active", epoch=1, generation=1)
    scene.expect_row("install", scene.rows.install(under_way.install_id), status="connected")


def stranger_confirms(scene: Scene) -> None:
    """Invite Bob, let Ann's admin press Allow, and have Ann's session come back with the handle."""
    browser = scene.browser("victim")
    under_way = scene.start(browser, scene.invite(_BOB, subdomain="stark"))
    answer = browser.get(scene.allow(under_way))
    scene.expect("redirect", answer.status, HTTPStatus.SEE_OTHER)
    scene.expect(
        "confirmation for Ann", scene.confirm(handle_of(answer.location), _ANN), HTTPStatus.FORBIDDEN
    )
    scene.expect("connection", scene.rows.connection("stark"), {})
    scene.expect_row("install", scene.rows.install(under_way.install_id), status="candidate")
    scene.expect("stark's token pairs alive at Zendesk", scene.living_tokens("stark"), 1)


def unconfirmed(scene: Scene) -> None:
    """Skip ten minutes by hand in the row of the candidate that waits, and run `revoke`."""
    waiting = [row for row in scene.rows.installs() if row["status"] == "candidate"]
    scene.expect("candidates that wait", [row["subdomain"] for row in waiting], ["stark"])
    install_id = str(waiting[0]["install_id"])
    scene.rows.move_back(install_id, _TEN_MINUTES + 1)
    scene.teller.told("demo", "moves the candidate's times back by ten minutes, by hand in the table")
    name = scene.stack.deployments[scene.mode].function_name("revoke")
    scene.teller.told("demo", f"invokes {name}, as the schedule does once a minute")
    answer = scene.stack.emulator.client("lambda").invoke(FunctionName=name, Payload="{}")
    scene.expect("error of the function", answer.get("FunctionError"), None)
    # The schedule may have been first: then it is at work on the row at this moment.
    row = eventually(lambda: scene.rows.install(install_id), lambda row: "revocation" in row)
    scene.expect_row("install", row, status="abandoned", reason="unconfirmed", revocation="revoked")
    scene.expect("its sealed access token", row.get("access_token"), None)
    scene.expect("stark's token pairs alive at Zendesk", scene.living_tokens("stark"), 0)
    scene.expect("connection", scene.rows.connection("stark"), {})


def unsigned(scene: Scene) -> None:
    """Ask for an invitation without a signature, and start without an invitation."""
    answer = scene.stack.backend.post("/invitations", {"user": _ANN}, signed=False)
    scene.backend_says("POST /invitations, unsigned", {"user": _ANN}, answer)
    scene.expect("the gateway's answer", answer.status_code, HTTPStatus.FORBIDDEN)
    uninvited = scene.browser().get(scene.start_url(subdomain="wayne"))
    scene.expect("a start without an invitation", uninvited.status, HTTPStatus.FORBIDDEN)
