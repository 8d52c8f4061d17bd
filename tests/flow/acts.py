"""Everything that can happen to an install, each as one call of one function, with what goes before it.

The rule: together the acts run every line of the package that a request can run on DynamoDB, KMS and Zendesk.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from local.zendesk.person import approve, deny
from tests.flow.wire import refused, unanswered
from tests.flow.world import Browser, World, with_query

TRIES = 2
"""A call and the one repeat that bootstrap allows the SDK."""

type Do = Callable[[], object]


@dataclass(frozen=True)
class Act:
    """A call of one function, with what has to have happened before."""

    name: str
    prepare: Callable[[World, Browser], Do]
    mode: str = "open"

    def __str__(self) -> str:
        return self.name


def _invited(world: World, subdomain: str | None = "acme") -> str:
    return urlsplit(world.invite(subdomain=subdomain)).query


def _starting_invited(subdomain: str | None) -> Callable[[World, Browser], Do]:
    def prepare(world: World, browser: Browser) -> Do:
        query = _invited(world, subdomain)
        return lambda: browser.start(query)

    return prepare


def _callback(press: Callable[..., str], *role: str) -> Callable[[World, Browser], Do]:
    def prepare(world: World, browser: Browser) -> Do:
        callback = press(
            browser.begin(_invited(world) if world.mode == "confirmed" else "subdomain=acme"), *role
        )
        return lambda: browser.callback(callback)

    return prepare


def _misbehaving(kind: str, role: str = "admin", **options: Any) -> Callable[[World, Browser], Do]:
    def prepare(world: World, browser: Browser) -> Do:
        do = _callback(approve, role)(world, browser)
        world.zendesk.misbehave(kind, **options)
        return do

    return prepare


def _failing(operation: str, *faults: Any) -> Callable[[World, Browser], Do]:
    def prepare(world: World, browser: Browser) -> Do:
        do = _callback(approve)(world, browser)
        world.wire.fail(operation, *faults)
        return do

    return prepare


def _odd(**changes: str | None) -> Callable[[World, Browser], Do]:
    def prepare(_: World, browser: Browser) -> Do:
        callback = with_query(approve(browser.begin()), **changes)
        return lambda: browser.callback(callback)

    return prepare


def _stranger(world: World, browser: Browser) -> Do:
    callback = approve(browser.begin())
    other = Browser(world)
    other.jar = dict.fromkeys(browser.jar, "Z" * 43)
    return lambda: other.callback(callback)


def _replayed(world: World, browser: Browser) -> Do:
    do = _callback(approve)(world, browser)
    do()
    return do


def _over(world: World, browser: Browser) -> Do:
    browser.connect()
    return _callback(approve)(world, browser)


def _late(world: World, browser: Browser) -> Do:
    do = _callback(approve)(world, browser)
    world.clock.advance(timedelta(seconds=601))
    return do


def _confirmed(user: str = "user-17") -> Callable[[World, Browser], Do]:
    def prepare(world: World, browser: Browser) -> Do:
        handle = browser.connect(_invited(world)).query["handle"]
        return lambda: world.confirm(handle, user)

    return prepare


def _confirmed_twice(world: World, browser: Browser) -> Do:
    do = _confirmed()(world, browser)
    do()
    return do


def _revoked(world: World, browser: Browser) -> Do:
    browser.connect(_invited(world))
    world.clock.advance(timedelta(seconds=601))
    return world.revoke


def _revoked_later(world: World, browser: Browser) -> Do:
    _misbehaving("server_error", "agent", endpoint="current_token")(world, browser)()
    world.clock.advance(timedelta(seconds=61))
    world.zendesk.misbehave("lost", endpoint="current_token")
    return world.revoke


def _twice(world: World, browser: Browser) -> Do:
    query = _invited(world)
    browser.start(query)
    return lambda: browser.start(query)


def _previewed(world: World, browser: Browser) -> Do:
    query = _invited(world)
    return lambda: browser.start(query, **{"sec-fetch-mode": ""})


def _continued(world: World, browser: Browser) -> Do:
    query = _invited(world)
    page = browser.start(query, **{"sec-fetch-mode": ""})
    return lambda: browser.press_continue(query, page)


ACTS = [
    Act("start", lambda _, browser: browser.start),
    Act("the form", lambda _, browser: lambda: browser.start("")),
    Act("a bad subdomain", lambda _, browser: lambda: browser.start("subdomain=-&return_to=/x")),
    Act("a bad return_to", lambda _, browser: lambda: browser.start("subdomain=acme&return_to=//x")),
    Act("no invitation", lambda _, browser: browser.start, "confirmed"),
    Act("invite", lambda world, _: world.invite, "confirmed"),
    Act("start invited", _starting_invited("acme"), "confirmed"),
    Act("start invited twice", _twice, "confirmed"),
    Act("a preview of an invitation", _previewed, "confirmed"),
    Act("continue", _continued, "confirmed"),
    Act("the form, invited", _starting_invited(None), "confirmed"),
    Act("deny", _callback(deny)),
    Act("an error", _odd(code=None, error="server_error")),
    Act("code and error", _odd(error="access_denied")),
    Act("a wrong state", _odd(state="x")),
    Act("an issuer", _odd(iss="https://globex.zendesk.com")),
    Act("a stranger", _stranger),
    Act("too late", _late),
    Act("allow", _callback(approve)),
    Act("replay", _replayed),
    Act("allow over a connection", _over),
    Act("a page for the allowed", _callback(approve), "open, without a site"),
    Act("a candidate", _callback(approve), "confirmed"),
    Act("a wrong role", _callback(approve, "agent")),
    Act("a wrong role that lives on", _misbehaving("server_error", "agent", endpoint="current_token")),
    Act("a wrong role that may not be revoked", _misbehaving("forbidden", "agent", endpoint="delete_token")),
    Act(
        "an anonymous user",
        _misbehaving("answer", endpoint="users_me", body='{"user": {"id": null, "role": null}}'),
    ),
    Act("a rejected code", _misbehaving("oauth_error")),
    Act("a rejected client", _misbehaving("oauth_error", error="invalid_client")),
    Act("an HTML page", _misbehaving("html")),
    Act("a token alone", _misbehaving("no_refresh_token")),
    Act("a token of another type", _misbehaving("token_type")),
    Act("a large body", _misbehaving("big_body")),
    Act("half a body", _misbehaving("cut_body")),
    Act("odd lifetimes", _misbehaving("expires_in", value="x")),
    Act("busy", _misbehaving("too_many_requests", retry_after="date")),
    Act("a lost answer", _misbehaving("lost")),
    Act("no key", _failing("kms.GenerateDataKey", refused("AccessDeniedException"))),
    Act("no second key", _failing("kms.GenerateDataKey", lambda _: None, *[unanswered] * TRIES)),
    Act("no store at first", _failing("dynamodb.UpdateItem", *[unanswered] * TRIES)),
    Act(
        "no store at the commit",
        _failing("dynamodb.TransactWriteItems", *[refused("InternalServerError", 500)] * TRIES),
    ),
    Act(
        "a commit that can never be", _failing("dynamodb.TransactWriteItems", refused("ValidationException"))
    ),
    Act("confirm", _confirmed(), "confirmed"),
    Act("confirm twice", _confirmed_twice, "confirmed"),
    Act("confirm somebody else's", _confirmed("somebody"), "confirmed"),
    Act("revoke", _revoked, "confirmed"),
    Act("revoke later", _revoked_later),
]
