"""A model of Zendesk's tokens: a refresh token works once, rotates, and kills the pair that it belonged to."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

from tests.simulation.world import Actor, Call, Fate, World
from zendesk_oauth.adapters.https_connection import HttpAnswer
from zendesk_oauth.adapters.zendesk_api import ZendeskHttpApi
from zendesk_oauth.errors import GrantRejectedError, ProviderUnavailableError
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.refresh import DEAD_HOLDER_ROUND
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import IssuedTokens
from zendesk_oauth.ports.refresh import RefreshGrant

ACCESS_LIFE = timedelta(hours=48)
REFRESH_LIFE = timedelta(days=90)
_ENDPOINTS = Endpoints("https://{subdomain}.zendesk.com", "https://ours.example")


@dataclass(slots=True)
class Issued:
    """A pair that Zendesk issued, and what became of it. `parent` is the number of the pair that it replaces."""

    number: int
    access: str
    refresh: str
    access_ends_at: float
    parent: int | None = None
    alive: bool = True
    """Whether its refresh token works."""
    is_spent: bool = False
    is_refused: bool = False
    """Whether the token endpoint itself has said invalid_grant to its refresh token."""
    holder: Actor | None = None
    """Who has it in hand, or waits for it to arrive."""
    receiver: Actor | None = None
    """Whom it has reached."""
    is_in_time: bool = False
    """Whether it has reached its holder before others might post the refresh token again."""
    is_ended_late: bool = False
    """Whether the server ended it because of a POST whose sender's claim was over: a process that was frozen."""
    seen_alive_by: Actor | None = None
    """Who was the last to be told that its access token is alive."""


@dataclass(slots=True)
class SimulatedZendesk:
    """The ports `RefreshEndpoint` and `ZendeskApi`, and all that was ever issued.

    `reuse_ends_family` makes a spent refresh token that is posted again end all that was issued in its place
    (RFC 9700 section 4.14.2). `trusts_clocks` is False where clocks are so wrong that two leases can live at once.
    """

    world: World
    reuse_ends_family: bool = False
    trusts_clocks: bool = True
    pairs: list[Issued] = field(default_factory=list)
    posts: int = 0
    trespasses: list[str] = field(default_factory=list)
    has_ended_family: bool = False
    """Whether the reuse of a refresh token has ended a living pair, as it may where someone came too late."""
    is_wanted: Callable[[Issued], bool] = lambda _pair: False
    """Whether a pair is a connection's own, or will be."""
    _in_flight: dict[str, Actor] = field(default_factory=dict)

    def issue(self, parent: Issued | None = None) -> Issued:
        number = len(self.pairs) + 1
        access_ends_at = self.world.seconds + ACCESS_LIFE.total_seconds()
        pair = Issued(number, f"a{number}", f"r{number}", access_ends_at, parent.number if parent else None)
        pair.holder = self.world.current
        self.pairs.append(pair)
        return pair

    def take(self, pair: Issued) -> None:
        """Note that the actor at work now has this pair in hand."""
        assert self.world.current is not None
        pair.receiver = pair.holder = ours = self.world.current
        pair.is_in_time = self.world.seconds < ours.claimed_until + DEAD_HOLDER_ROUND.total_seconds()

    def bury(self, dead: Actor | None) -> None:
        """Forget what an invoked function had in hand when it died, though its caller lives."""
        for pair in self.pairs:
            if pair.receiver is dead:
                pair.receiver = None
            if pair.holder is dead:
                pair.holder = None

    def put_down(self, actor: Actor | None) -> None:
        """Note that an invoked function has returned: what it had in hand should lie somewhere."""
        for pair in self.pairs:
            if pair.holder is actor:
                pair.holder = None

    def alive(self) -> set[str]:
        """Return the access tokens that work now."""
        return {pair.access for pair in self.pairs if self.accepts(pair)}

    def accepts(self, pair: Issued) -> bool:
        """Tell whether the access token of a pair works now."""
        return pair.alive and self.world.seconds < pair.access_ends_at

    def tokens_of(self, pair: Issued) -> IssuedTokens:
        return IssuedTokens(
            Secret(pair.access), Secret(pair.refresh), ("tickets:read",), ACCESS_LIFE, REFRESH_LIFE
        )

    def by_access(self, access: str) -> Issued:
        return self.pairs[int(access[1:]) - 1]

    def by_refresh(self, refresh: str) -> Issued:
        return self.pairs[int(refresh[1:]) - 1]

    @property
    def api(self) -> ZendeskHttpApi:
        """Return the API as the real adapter reads it."""
        return SimulatedApi(_ENDPOINTS, self.world, self)

    # RefreshEndpoint

    def refresh(self, grant: RefreshGrant, deadline: float) -> IssuedTokens:
        """Arrive at Zendesk, be worked on, and travel back: two points, so that others may come in between."""
        refresh = grant.refresh_token.reveal()
        fresh: Issued | None = None
        try:
            fresh = self.world.call(
                Call(f"POST refresh_token={refresh}", _no_answer), lambda: self._rotate(refresh)
            )
            self.world.call(Call(f"the answer to {refresh}", _no_answer), _nothing)
        except ProviderUnavailableError:
            self._lose_successor_of(refresh)
            raise
        finally:
            self._in_flight.pop(refresh, None)
        if fresh is None:
            raise GrantRejectedError("invalid_grant")
        self.take(fresh)
        return self.tokens_of(fresh)

    def _lose_successor_of(self, refresh: str) -> None:
        """Note that the answer which the actor at work waited for will not come."""
        number, ours = self.by_refresh(refresh).number, self.world.current
        for pair in self.pairs:
            if pair.parent == number and pair.holder is ours and pair.receiver is None:
                pair.holder = None

    def _rotate(self, refresh: str) -> Issued | None:
        self.posts += 1
        self._notice_others(refresh)
        old = self.by_refresh(refresh)
        if old.alive:
            old.alive, old.is_spent = False, True
            return self.issue(old)
        old.is_refused = True
        if old.is_spent and self.reuse_ends_family:
            self._end_family_of(old)
        return None

    def _end_family_of(self, old: Issued) -> None:
        ours = self.world.current
        assert ours is not None
        is_late = self.is_over(ours)
        for pair in self._descendants(old):
            if not pair.alive:
                continue
            if not is_late and self.is_wanted(pair):
                self.trespasses.append(f"R45: {old.refresh} was posted again, which has ended {pair.refresh}")
            pair.alive, pair.is_ended_late = False, is_late
            self.has_ended_family = True

    def _descendants(self, old: Issued) -> Iterator[Issued]:
        numbers = {old.number}
        for pair in self.pairs:
            if pair.parent in numbers:
                numbers.add(pair.number)
                yield pair

    def _notice_others(self, refresh: str) -> None:
        """Notice two POSTs of a token at once, unless the claim of one of them is over: it is unresolved."""
        ours, other = self.world.current, self._in_flight.get(refresh)
        assert ours is not None
        if other is not None and self.trusts_clocks and not (self.is_over(ours) or self.is_over(other)):
            self.trespasses.append(f"I1: two POSTs of {refresh} at once")
        self._in_flight[refresh] = ours

    def is_over(self, actor: Actor) -> bool:
        """Tell whether an actor had a claim, and it is over; one that never had a claim has no excuse."""
        return 0 < actor.claimed_until <= self.world.seconds


class SimulatedApi(ZendeskHttpApi):
    """The real adapter over the model's answers, so that a page is read as the adapter reads it."""

    def __init__(self, endpoints: Endpoints, world: World, zendesk: SimulatedZendesk) -> None:
        super().__init__(endpoints, world)
        object.__setattr__(self, "zendesk", zendesk)

    zendesk: SimulatedZendesk

    def _ask(self, method: str, url: str, access_token: Secret, deadline: float) -> HttpAnswer:
        access = access_token.reveal()
        what = url.rsplit("/", 1)[1].removesuffix(".json")
        return self.zendesk.world.call(
            Call(f"{method} tokens/{what} with {access}", _no_answer, _lie),
            lambda: self._answered(what, access),
        )

    def _answered(self, what: str, access: str) -> HttpAnswer:
        pair = self.zendesk.by_access(access)
        if not self.zendesk.accepts(pair):
            return _REFUSED
        if what != "current":
            self.zendesk.pairs[int(what) - 1].alive = False
            return HttpAnswer(HTTPStatus.NO_CONTENT, {}, b"")
        pair.seen_alive_by = self.zendesk.world.current
        return HttpAnswer(HTTPStatus.OK, {}, json.dumps({"token": {"id": pair.number}}).encode())


_REFUSED = HttpAnswer(HTTPStatus.UNAUTHORIZED, {}, b'{"error": "invalid_token"}')
_PAGE = HttpAnswer(HTTPStatus.UNAUTHORIZED, {}, b"<html>Please sign in</html>")


def _lie(fate: Fate) -> HttpAnswer:
    return _PAGE if fate is Fate.PAGED else _REFUSED


def _no_answer() -> Exception:
    return ProviderUnavailableError("no answer")


def _nothing() -> None:
    """Travel back."""
