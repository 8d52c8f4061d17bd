"""A model of Zendesk's tokens: a refresh token works once, rotates, and kills the pair that it belonged to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from tests.simulation.world import Actor, Call, World
from zendesk_oauth.errors import GrantRejectedError, ProviderUnavailableError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, IssuedTokens
from zendesk_oauth.ports.refresh import RefreshGrant

ACCESS_LIFE = timedelta(hours=48)
REFRESH_LIFE = timedelta(days=90)


@dataclass(slots=True)
class Issued:
    """A pair that Zendesk issued, and what became of it."""

    number: int
    access: str
    refresh: str
    alive: bool = True
    before: "Issued | None" = None
    """The pair whose refresh token it was issued for."""


@dataclass(slots=True)
class SimulatedZendesk:
    """The ports `RefreshEndpoint` and `ZendeskApi`, and all that was ever issued."""

    world: World
    pairs: list[Issued] = field(default_factory=list)
    rotations: dict[str, int] = field(default_factory=dict)
    posts: int = 0
    received: dict[str, Actor] = field(default_factory=dict)
    """Who received which pair, by its access token."""
    trespasses: list[str] = field(default_factory=list)
    was_posted_late: bool = False
    """Whether somebody has posted whose claim was over."""
    is_stored: Callable[[str], bool] = lambda _refresh: True
    """Whether a refresh token lies in a row, and not only in the hands of whoever posts it."""
    _in_flight: dict[str, Actor] = field(default_factory=dict)

    def issue(self, before: Issued | None = None) -> Issued:
        number = len(self.pairs) + 1
        pair = Issued(number, f"a{number}", f"r{number}", before=before)
        self.pairs.append(pair)
        return pair

    def take(self, pair: Issued) -> None:
        """Note that whoever is at work now has this pair in his hands."""
        assert self.world.current is not None
        self.received[pair.access] = self.world.current

    def bury(self, dead: Actor | None) -> None:
        """Forget what an invoked function had in its hands when it died, though its caller lives."""
        self.received = {access: actor for access, actor in self.received.items() if actor is not dead}

    def alive(self) -> set[str]:
        """Return the access tokens that live."""
        return {pair.access for pair in self.pairs if pair.alive}

    def tokens_of(self, pair: Issued) -> IssuedTokens:
        return IssuedTokens(
            Secret(pair.access), Secret(pair.refresh), ("tickets:read",), ACCESS_LIFE, REFRESH_LIFE
        )

    def by_access(self, access: str) -> Issued:
        return self.pairs[int(access[1:]) - 1]

    def by_refresh(self, refresh: str) -> Issued:
        return self.pairs[int(refresh[1:]) - 1]

    # RefreshEndpoint

    def refresh(self, grant: RefreshGrant, deadline: float) -> IssuedTokens:
        """Arrive at Zendesk, be worked on, and travel back: two points, so that others may come in between."""
        refresh = grant.refresh_token.reveal()
        try:
            fresh = self.world.call(
                Call(f"POST refresh_token={refresh}", _no_answer), lambda: self._rotate(refresh)
            )
            self.world.call(Call(f"the answer to {refresh}", _no_answer), _nothing)
        finally:
            self._in_flight.pop(refresh, None)
        if fresh is None:
            raise GrantRejectedError("invalid_grant")
        self.take(fresh)
        return self.tokens_of(fresh)

    def _rotate(self, refresh: str) -> Issued | None:
        self.posts += 1
        self._notice_others(refresh)
        old = self.by_refresh(refresh)
        if not old.alive:
            return None
        old.alive = False
        self.rotations[refresh] = self.rotations.get(refresh, 0) + 1
        if self.rotations[refresh] > 1:
            self.trespasses.append("I1: a refresh token was rotated twice")
        return self.issue(old)

    def _notice_others(self, refresh: str) -> None:
        """Notice two POSTs of the row's token at once, unless the claim of one of them is over: it is unresolved."""
        ours, now = self.world.current, self.world.now()
        other = self._in_flight.get(refresh)
        assert ours is not None
        if (
            other is not None
            and min(ours.claimed_until, other.claimed_until) > now
            and self.is_stored(refresh)
        ):
            self.trespasses.append(f"I1: two POSTs of {refresh} at once")
        self._in_flight[refresh] = ours
        self.was_posted_late |= ours.claimed_until <= now

    # ZendeskApi

    def who_authorized(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> AuthorizedUser:
        return AuthorizedUser(1, "admin")

    def find_token_id(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> int | None:
        access = access_token.reveal()
        return self.world.call(
            Call(f"GET tokens/current with {access}", _no_answer), lambda: self._alive(access)
        )

    def _alive(self, access: str) -> int | None:
        pair = self.by_access(access)
        return pair.number if pair.alive else None

    def delete_token(
        self, subdomain: Subdomain, token_id: int, access_token: Secret, deadline: float
    ) -> None:
        self.world.call(Call(f"DELETE token {token_id}", _no_answer), lambda: self._delete(token_id))

    def _delete(self, token_id: int) -> None:
        self.pairs[token_id - 1].alive = False


def _no_answer() -> Exception:
    return ProviderUnavailableError("no answer")


def _nothing() -> None:
    """Travel back."""
