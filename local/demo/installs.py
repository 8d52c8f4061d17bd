"""Steps of the open mode: an install that is allowed, denied, replayed, done again, or tried by a stranger."""

from http import HTTPStatus

from local.demo.scene import Scene, query_of


def allowed(scene: Scene) -> None:
    """Start, allow as an admin, and look at everything that came of it."""
    browser = scene.browser()
    under_way = scene.start(browser, scene.start_url(subdomain="acme"))
    asked = query_of(under_way.authorize_url)
    scene.expect("PKCE method", asked.get("code_challenge_method"), ["S256"])
    scene.expect("cookies kept by the browser", len(browser.cookies), 1)
    scene.expect_row(
        "pending install", scene.rows.install(under_way.install_id), status="pending", subdomain="acme"
    )
    answer = browser.get(scene.allow(under_way))
    scene.expect("page", answer.status, HTTPStatus.OK)
    scene.expect("codes posted to Zendesk for acme", scene.posts("acme"), 1)
    scene.expect_row("install", scene.rows.install(under_way.install_id), status="connected")
    row = scene.rows.connection("acme")
    scene.expect_row(
        "connection",
        row,
        status="active",
        epoch=1,
        generation=1,
        scopes=["users:read", "tickets:read", "tickets:write"],
    )
    scene.expect("secrets in the clear in the connection's row", _in_the_clear(scene, row), 0)


def _in_the_clear(scene: Scene, row: object) -> int:
    """Count the tokens alive at Zendesk that can be found in the row as they are."""
    text = repr(row)
    pairs = scene.stack.zendesk.alive()
    return sum(token in text for pair in pairs for token in (pair.access_token, pair.refresh_token))


def denied(scene: Scene) -> None:
    """Start, and deny."""
    browser = scene.browser()
    under_way = scene.start(browser, scene.start_url(subdomain="globex"))
    answer = browser.get(scene.deny(under_way))
    scene.expect("page", answer.status, HTTPStatus.OK)
    scene.expect("page offers another try", "/oauth/start?subdomain=globex" in answer.text, wanted=True)
    scene.expect("codes posted to Zendesk for globex", scene.posts("globex"), 0)
    scene.expect_row(
        "install", scene.rows.install(under_way.install_id), status="denied", reason="access_denied"
    )
    scene.expect("connection", scene.rows.connection("globex"), {})


def returned(scene: Scene) -> None:
    """Start with another grant and an address to return to, and allow."""
    browser = scene.browser()
    back = scene.stack.company.return_url
    under_way = scene.start(browser, scene.start_url(subdomain="hooli", grant="reporting", return_to=back))
    answer = browser.get(scene.allow(under_way))
    scene.expect("redirect", answer.status, HTTPStatus.SEE_OTHER)
    wanted = {"result": ["connected"], "install": [under_way.install_id]}
    scene.expect("goes back to the company", answer.location.partition("?")[0], back)
    scene.expect("with nothing but the result", query_of(answer.location), wanted)
    scene.expect_row(
        "connection", scene.rows.connection("hooli", "reporting"), status="active", scopes=["read"]
    )


def replayed(scene: Scene) -> None:
    """Open the same callback twice."""
    browser = scene.browser()
    callback_url = scene.allow(scene.start(browser, scene.start_url(subdomain="initech")))
    first, second = browser.get(callback_url), browser.get(callback_url)
    scene.expect("first page", first.status, HTTPStatus.OK)
    scene.expect("second page", second.status, HTTPStatus.OK)
    scene.expect("the same page, byte for byte", second.text == first.text, wanted=True)
    scene.expect("codes posted to Zendesk for initech", scene.posts("initech"), 1)
    scene.expect_row("connection", scene.rows.connection("initech"), status="active", epoch=1, generation=1)


def stranger(scene: Scene) -> None:
    """Open the callback elsewhere without a cookie and with a wrong one, then where it belongs."""
    rightful, thief = scene.browser("rightful"), scene.browser("stranger")
    under_way = scene.start(rightful, scene.start_url(subdomain="umbrella"))
    callback_url = scene.allow(under_way)
    scene.expect("no cookie", thief.get(callback_url).status, HTTPStatus.BAD_REQUEST)
    thief.hold(f"__Host-install-{under_way.install_id}", "A" * 43)
    scene.expect("a stranger's cookie", thief.get(callback_url).status, HTTPStatus.BAD_REQUEST)
    scene.expect("codes posted to Zendesk for umbrella", scene.posts("umbrella"), 0)
    scene.expect_row("install, untouched", scene.rows.install(under_way.install_id), status="pending")
    scene.expect("the rightful browser still finishes", rightful.get(callback_url).status, HTTPStatus.OK)
    scene.expect_row("connection", scene.rows.connection("umbrella"), status="active", epoch=1)


def end_user(scene: Scene) -> None:
    """Allow as an end user, for an account that an admin has connected."""
    before, alive, posts = scene.rows.connection("acme"), scene.living_tokens("acme"), scene.posts("acme")
    browser = scene.browser()
    under_way = scene.start(browser, scene.start_url(subdomain="acme"))
    answer = browser.get(scene.allow(under_way, "end-user"))
    scene.expect("page", answer.status, HTTPStatus.FORBIDDEN)
    scene.expect("codes posted to Zendesk for acme", scene.posts("acme"), posts + 1)
    scene.expect_row(
        "install", scene.rows.install(under_way.install_id), status="failed", reason="wrong_role"
    )
    scene.expect("acme's tokens alive at Zendesk", scene.living_tokens("acme"), alive)
    unchanged = bool(before) and scene.rows.connection("acme") == before
    scene.expect("acme's connection is as it was, in every byte", unchanged, wanted=True)


def bad_subdomain(scene: Scene) -> None:
    """Start with what is no account, with nothing, and with a pasted address."""
    browser = scene.browser()
    installs = len(scene.rows.installs())
    answer = browser.get(scene.start_url(subdomain="acme@evil.example#"))
    scene.expect("form", answer.status, HTTPStatus.BAD_REQUEST)
    beside = 'aria-invalid="true"' in answer.text and "aria-describedby" in answer.text
    scene.expect("the error stands beside the field", beside, wanted=True)
    scene.expect("the form repeats what was typed", "evil.example" in answer.text, wanted=False)
    scene.expect("the form itself", browser.get(scene.start_url()).status, HTTPStatus.OK)
    scene.expect("installs written", len(scene.rows.installs()) - installs, 0)
    pasted = browser.get(scene.start_url(subdomain="https://acme.zendesk.com/agent/filters/1"))
    scene.expect(
        "a pasted address is cut down", "/acme/oauth/authorizations/new" in pasted.location, wanted=True
    )


def again(scene: Scene) -> None:
    """Install where a connection is."""
    before = scene.rows.connection("acme")
    scene.expect("page", scene.connect(scene.browser(), "acme").status, HTTPStatus.OK)
    after = scene.rows.connection("acme")
    scene.expect_row("connection", after, status="active", epoch=2, generation=2)
    renewed = before.get("access_token") != after.get("access_token")
    scene.expect("sealed anew", renewed, wanted=True)
