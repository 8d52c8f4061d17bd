"""Steps of a connection's life between its installs: refreshed, lost, recovered, revoked, and kept alive."""

from http import HTTPStatus

from local.demo.later import let_pass, let_pass_until, renew_refresh, send, tick, work
from local.demo.rows import Row
from local.demo.scene import REFRESH_GRANT, Scene, eventually
from local.workers import Work, digest_of

_CONTAINERS, _THREADS = 5, 10
_BACK_OFF = 16
"""One second more than `refresh` waits before it asks Zendesk what became of an attempt."""
_REPLAY_ROUND = 61
"""One second more than a refresh token that may have been spent is left alone before it is posted again."""
_TWO_MINUTES = 120


def burst(scene: Scene) -> None:
    """Let acme's token run out, and have fifty workers need it at once."""
    before, posts = scene.rows.connection("acme"), scene.refreshes("acme")
    let_pass_until(scene, "expires_at", "acme")
    met = work(scene, "acme", containers=_CONTAINERS, threads=_THREADS)
    scene.expect("workers with a token", sum(one.error is None for one in met), _CONTAINERS * _THREADS)
    scene.expect("refresh tokens posted to Zendesk for acme", scene.refreshes("acme") - posts, 1)
    expect_living_token(scene, "acme", met)
    after = scene.rows.connection("acme")
    scene.expect_row("connection", after, status="active", **next_generation(before), claim_id=None)


def answer_lost(scene: Scene) -> None:
    """Have Zendesk rotate initech's tokens and its answer get lost; then connect again."""
    let_pass_until(scene, "refresh_at", "initech")
    _misbehave(scene, "initech", "rotates, and its answer is lost on the way", worked=True)
    [met] = work(scene, "initech")
    scene.expect(
        "the old token, and what is said after", (met.statuses, met.error), ((401,), "refresh_pending")
    )
    scene.expect_row("connection", scene.rows.connection("initech"), generation=1, claim_state="unresolved")
    let_pass(scene, _REPLAY_ROUND, "initech")
    renew_refresh(scene)
    [met] = work(scene, "initech")
    scene.expect("told", (met.error, met.reason), ("reconnect_required", "answer_lost"))
    row = scene.rows.connection("initech")
    scene.expect_row("connection", row, status="reconnect_required", reconnect_reason="answer_lost")
    scene.expect("refresh tokens posted to Zendesk for initech", scene.refreshes("initech"), 2)
    browser = scene.browser()
    answer = browser.get(scene.allow(scene.start(browser, str(met.reconnect_url))))
    scene.expect("page", answer.status, HTTPStatus.OK)
    scene.expect_row(
        "connection", scene.rows.connection("initech"), status="active", epoch=2, reconnect_reason=None
    )
    expect_living_token(scene, "initech", work(scene, "initech"))


def request_lost(scene: Scene) -> None:
    """Lose a refresh before Zendesk has done anything, and let the next worker come."""
    let_pass_until(scene, "refresh_at", "umbrella")
    _misbehave(scene, "umbrella", "closes the connection before it has done anything", worked=False)
    [met] = work(scene, "umbrella")
    scene.expect("generation that still serves", met.generation, 1)
    scene.expect("what Zendesk's API says", met.statuses, (HTTPStatus.OK,))
    scene.expect_row("connection", scene.rows.connection("umbrella"), claim_state="unresolved")
    let_pass(scene, _BACK_OFF, "umbrella")
    renew_refresh(scene)
    expect_living_token(scene, "umbrella", work(scene, "umbrella"))
    scene.expect_row(
        "connection",
        scene.rows.connection("umbrella"),
        status="active",
        epoch=1,
        generation=2,
        claim_state=None,
    )


def revoked(scene: Scene) -> None:
    """Delete umbrella's token at Zendesk, and let a worker find out."""
    let_pass(scene, _TWO_MINUTES, "umbrella")
    scene.teller.told("Zendesk", "Ada Admin, admin, deletes the token in the account's settings")
    scene.expect("token pairs deleted", scene.stack.zendesk.revoke_all("umbrella"), 1)
    [met] = work(scene, "umbrella")
    scene.expect("what Zendesk's API says", met.statuses, (HTTPStatus.UNAUTHORIZED,))
    scene.expect("told", (met.error, met.reason), ("reconnect_required", "grant_rejected"))
    scene.expect_row(
        "connection",
        scene.rows.connection("umbrella"),
        status="reconnect_required",
        reconnect_reason="grant_rejected",
    )


def kept_alive(scene: Scene) -> None:
    """Let a connection that nobody uses grow old, and let the schedule come by."""
    before = scene.rows.connection("hooli", "reporting")
    let_pass_until(scene, "keep_alive_at", "hooli", "reporting")
    tick(scene, "keep-alive")
    wanted = next_generation(before)
    after = eventually(
        lambda: scene.rows.connection("hooli", "reporting"),
        lambda row: row["generation"] == wanted["generation"],
    )
    scene.expect_row("connection", after, status="active", **wanted)
    scene.expect("refresh tokens posted to Zendesk for hooli", scene.refreshes("hooli"), 1)
    scene.expect("hooli's token pairs alive at Zendesk", scene.living_tokens("hooli"), 1)


def over_http(scene: Scene) -> None:
    """Get acme's token with one signed request, as a worker in another language does."""
    row = scene.rows.connection("acme")
    caller = scene.stack.token_caller
    answer = send(scene, "worker", caller, "GET", "/connections/default/acme/token")
    scene.expect("status", answer.status_code, HTTPStatus.OK)
    given = answer.json()
    scene.expect(
        "it is the one alive at Zendesk",
        digest_of(given["access_token"]) in _alive(scene, "acme"),
        wanted=True,
    )
    scene.expect("its generation", given["generation"], row["generation"])
    scene.expect("its scopes", given["scopes"], ["users:read", "tickets:read", "tickets:write"])
    other = caller.send("GET", "/connections/reporting/hooli/token")
    scene.expect("another grant's token", other.status_code, HTTPStatus.FORBIDDEN)


def expect_living_token(scene: Scene, subdomain: str, met: list[Work]) -> None:
    """Expect that all of them have one token, which lives at Zendesk and which its API takes."""
    digests = {one.digest for one in met}
    scene.expect("different tokens among them", len(digests), 1)
    scene.expect("it is alive at Zendesk", digests <= _alive(scene, subdomain), wanted=True)
    said = sorted({status for one in met for status in one.statuses})
    scene.expect("what Zendesk's API says", said, [HTTPStatus.OK])


def _alive(scene: Scene, subdomain: str) -> set[str | None]:
    """Return the digests of the access tokens that live at Zendesk."""
    return {digest_of(pair.access_token) for pair in scene.stack.zendesk.alive(subdomain)}


def next_generation(before: Row) -> dict[str, int]:
    """Return what a row has after one refresh more."""
    return {"epoch": int(str(before["epoch"])), "generation": int(str(before["generation"])) + 1}


def _misbehave(scene: Scene, subdomain: str, what: str, *, worked: bool) -> None:
    scene.stack.zendesk.misbehave("lost", subdomain=subdomain, grant_type=REFRESH_GRANT, worked=worked)
    scene.teller.told("Zendesk", f"at the next refresh of {subdomain}, {what}")
