"""Plays an act, and looks for every secret of it in all that was said, answered, stored, printed or raised.

The rule: a secret may be where it is meant to travel, by the table here, and nowhere else.
"""

import json
import re
import traceback

from local.zendesk.standin import StandIn
from tests.flow.acts import Act
from tests.flow.canary import Canaries, dumped
from tests.flow.injection import Watch, forget_what_is_cached, watched
from tests.flow.sinks import Sinks
from tests.flow.world import Browser, World, state_of
from zendesk_oauth.models.secret import OneUseSecret, Secret
from zendesk_oauth.services.authorization_request import BrowserBinding
from zendesk_oauth.web.pages.continue_form import COOKIE as CONTINUE_COOKIE

_PROOF = re.compile(r'name="proof" value="([^"]+)"')
MARK = 'can"ary+/\\~'
"""Stands at the beginning of codes and tokens; each of its odd characters is written otherwise in some encoding."""
CLIENT_SECRET = f"{MARK}client-secret-0123456789"
MEANT: dict[tuple[str, str], frozenset[str]] = {
    ("start", "location"): frozenset({"state"}),
    ("start", "cookies"): frozenset({"cookie"}),
    ("start", "body"): frozenset({"invitation", "proof"}),
    ("callback", "location"): frozenset({"handle"}),
    ("installs", "body"): frozenset({"invitation"}),
}
"""The secrets that an answer is there to carry, and where."""
HANDED_OVER = frozenset({"sqs.SendMessage", "lambda.Invoke"})


def gather(world: World, browser: Browser, canaries: Canaries) -> None:
    """Add every secret of what has happened: those of the browser, of Zendesk, of KMS."""
    canaries.add("client secret", CLIENT_SECRET)
    for _, answer in world.answers:
        if "/oauth/authorizations/new" in answer.location:
            _gather_binding(state_of(answer.location), browser, canaries)
        for proof in _PROOF.findall(answer.body):
            canaries.add("proof", proof)
            canaries.add("cookie", browser.jar[CONTINUE_COOKIE])
        if '"start_url"' in answer.body:
            invitation = json.loads(answer.body)["start_url"].partition("invitation=")[2]
            canaries.add("invitation", invitation.partition(".")[2])
    _gather_of_zendesk(world.zendesk, canaries)
    for operation, answered in world.wire.answers:
        if operation.startswith("kms.") and "Plaintext" in answered:
            canaries.add("data key", answered["Plaintext"])


def _gather_binding(unread_state: str, browser: Browser, canaries: Canaries) -> None:
    """Add what a started install is made of, and what is derived from it."""
    state = OneUseSecret.parse(unread_state)
    assert state is not None
    canaries.add("state", state.secret.reveal())
    for value in browser.jar.values():
        binding = BrowserBinding(state, Secret(value))
        canaries.add("cookie", value)
        canaries.add("verifier", binding.code_verifier.reveal())
        canaries.add("handle", binding.handle.secret.reveal())


def _gather_of_zendesk(zendesk: StandIn, canaries: Canaries) -> None:
    """Add what Zendesk has been sent and has issued."""
    for post in zendesk.seen.token_posts:
        assert post.raw is not None
        if post.grant_type == "authorization_code":
            canaries.add("code", post.raw["code"])
            canaries.add("verifier", post.raw["code_verifier"])
    for pair in zendesk.tokens.all():
        canaries.add("access token", pair.access_token)
        canaries.add("refresh token", pair.refresh_token)


def forget_the_client_secret(world: World) -> None:
    """Let `callback` read it anew, as in a container's first exchange."""
    world.handler("callback").answer.complete_install.exchange_code.token_endpoint.client_secret.forget()


def hits(world: World, canaries: Canaries, seen: dict[str, bytes]) -> list[str]:
    """Return each secret that was found where it should not be."""
    found = [f"{sink}: {hit}" for sink, hay in seen.items() for hit in canaries.found(hay)]
    for verb, answer in world.answers:
        rest = {name: text for name, text in answer.headers.items() if name != "location"}
        parts = {
            "location": answer.location,
            "cookies": answer.cookies,
            "body": answer.body,
            "headers": (answer.status, rest),
        }
        for part, value in parts.items():
            meant = MEANT.get((verb, part), frozenset())
            found += [f"{part} of {verb}: {hit}" for hit in canaries.found(dumped(value), meant)]
    return found


def handed_over(world: World) -> list[object]:
    """Return what was put into a queue, or handed to another invocation."""
    return [call.parameters for call in world.wire.calls if call.operation in HANDED_OVER]


class Scene:
    """Plays an act and says what leaked."""

    def __init__(self, world: World, act: Act, sinks: Sinks) -> None:
        forget_what_is_cached()
        world.forget()
        world.zendesk.start_over(world.zendesk.settings)
        world.mode = act.mode
        for verb in ("start", "callback", "installs", "revoke"):
            world.handler(verb)
        forget_the_client_secret(world)
        sinks.clear()
        self.world, self.act, self.sinks = world, act, sinks
        self.browser = Browser(world)
        self.canaries = Canaries()

    def play(self, watch: Watch) -> list[str]:
        """Prepare, do it under the watch, and return what was found."""
        do = self.act.prepare(self.world, self.browser)
        escaped = ""
        try:
            watched(watch, do)
        except Exception as error:
            if not watch.fired:
                raise
            escaped = "".join(traceback.format_exception(error)) + f"{error!r} {error!s}"
        self.world.zendesk.release()
        gather(self.world, self.browser, self.canaries)
        tables = {table: self.world.rows(table) for table in ("installs", "connections")}
        self.world.delete(tables)
        return hits(
            self.world,
            self.canaries,
            {name: dumped(rows) for name, rows in tables.items()}
            | {
                "queue and invocations": dumped(handed_over(self.world)),
                "logs, metrics, output": self.sinks.said.encode(),
                "repr and str": "\n".join(watch.printed).encode(),
                "traceback": escaped.encode(),
            },
        )
