"""The demo's renderer prints no secret, and its expectations can fail."""

import io
from typing import Self

import pytest
from rich.console import Console

from local.demo import __main__ as demo
from local.demo.redaction import COVER, shown_cookie, shown_text, shown_url
from local.demo.scene import Scene
from local.demo.script import SCRIPT, Step
from local.demo.teller import Teller
from local.processes import CommandFailedError

CODE, SECRET, TOKEN = "MARKED-code-0123456789", "MARKED" + "s" * 37, "MARKED-token-" + "t" * 50
ONE_USE = f"{'i' * 22}.{SECRET}"


def told() -> tuple[Teller, io.StringIO]:
    """Return a teller and what it prints to."""
    output = io.StringIO()
    return Teller(Console(file=output, width=200)), output


@pytest.mark.parametrize(
    "url",
    [
        f"http://localhost:8700/oauth/callback?code={CODE}&state={ONE_USE}",
        f"/oauth/start?invitation={ONE_USE}",
        f"http://localhost:8702/zendesk/back?handle={ONE_USE}",
        f"http://localhost:8702/zendesk/back?return_to=http://x/?t={TOKEN}",
        f"/installs/{ONE_USE}/confirm",
        f"/elsewhere?unknown={CODE}",
    ],
)
def test_no_secret_of_an_address_is_shown(url: str) -> None:
    """Codes, states, invitations, handles and whatever has an unknown name are covered."""
    assert "MARKED" not in shown_url(url)
    assert COVER in shown_url(url)


def test_what_is_harmless_is_shown() -> None:
    """A reader still sees what was asked for."""
    shown = shown_url("/oauth/start?subdomain=acme&grant=reporting")
    assert shown == "/oauth/start ?subdomain=acme &grant=reporting"


def test_an_id_stays_to_find_the_row_by() -> None:
    """Of `id.secret` the id is no secret."""
    assert shown_text(ONE_USE) == f"{'i' * 22}.{COVER}"


def test_a_cookie_is_shown_without_its_value() -> None:
    """The name and the attributes are what there is to see."""
    shown = shown_cookie(f"__Host-install-x={SECRET}; Path=/; Secure")
    assert shown == f"__Host-install-x={COVER}; Path=/; Secure"


def test_the_answer_of_the_token_route_is_shown_without_the_token() -> None:
    """Scopes and times are there to see, the token is not, wherever in the JSON it stands."""
    shown = shown_text(
        f'{{"access_token": "{"MARKED" + "a1" * 29}", "scopes": ["tickets:read"], "generation": 3}}'
    )
    assert shown == f'{{"access_token": "{COVER}", "scopes": ["tickets:read"], "generation": 3}}'


def test_the_teller_covers_everything_it_is_given() -> None:
    """Requests, answers, remarks, expectations and errors with marked secrets print not one of them."""
    teller, output = told()
    teller.sent("browser", "GET", f"/oauth/callback?code={CODE}&state={ONE_USE}", ("__Host-install-x",))
    teller.received(302, f"http://localhost/?handle={ONE_USE}", (f"__Host-a={SECRET}; Path=/",), TOKEN)
    teller.told("backend", f"POST /installs/{ONE_USE}/confirm {TOKEN}")
    teller.expected(f"state {ONE_USE}", seen={"access_token": TOKEN}, wanted=[SECRET])
    teller.broke(LookupError(TOKEN))
    printed = output.getvalue()
    assert "MARKED" not in printed + "".join(teller.unexpected)
    assert printed.count(COVER) >= 8


def test_an_expectation_can_fail() -> None:
    """What is not as wanted is marked and kept; what is, is not."""
    teller, output = told()
    assert teller.expected("status", seen=200, wanted=200)
    assert not teller.expected("epoch", seen={"epoch": 1}, wanted={"epoch": 2})
    assert teller.unexpected == ["epoch: saw epoch=1, wanted epoch=2"]
    assert output.getvalue().count("✔") == output.getvalue().count("✘") == 1


def good(scene: Scene) -> None:
    """Expect what is so."""
    scene.expect("one", 1, 1)


def bad(scene: Scene) -> None:
    """Expect what is not so."""
    scene.expect("one", 1, 2)


def broken(_scene: Scene) -> None:
    """Break."""
    raise LookupError("gone")


class NoStack:
    """A stack that is never asked for anything, or cannot be started."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def __call__(self, _progress: object) -> Self:
        """Be what runs."""
        return self

    def __enter__(self) -> Self:
        """Start, or break."""
        if self.error:
            raise self.error
        return self

    def __exit__(self, *_: object) -> None:
        """End nothing."""


@pytest.mark.parametrize(
    ("plays", "error", "last", "status"),
    [
        ((good, good), None, "demo: 2 steps, 2 as expected", 0),
        ((good, bad, broken), None, "demo: 3 steps, 1 as expected", 1),
        ((good,), CommandFailedError("sam deploy failed"), "demo: 1 steps, 0 as expected", 1),
    ],
)
def test_the_last_line_and_the_exit_tell_the_truth(
    plays: tuple[object, ...],
    error: Exception | None,
    last: str,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One last line counts what was as expected; exit 0 only where it was everything."""
    monkeypatch.setattr(demo, "SCRIPT", tuple(Step("title", "why", play) for play in plays))  # type: ignore[arg-type]
    monkeypatch.setattr(demo, "running_stack", NoStack(error))
    for name in ("show_stores", "show_seen"):
        monkeypatch.setattr(demo, name, lambda *_: None)
    assert demo.main() == status
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == last
    assert ("not as expected: 2 title: one: saw 1, wanted 2" in printed) == (bad in plays)


def test_every_step_has_a_title_of_its_own() -> None:
    """The script's steps can be told apart by number and title."""
    assert len({step.title for step in SCRIPT}) == len(SCRIPT)
