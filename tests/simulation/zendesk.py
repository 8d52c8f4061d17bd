"""A model of Zendesk's tokens: a refresh token works once, rotates, and kills the pair that it belonged to."""

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
READ_LIMIT = 45.0


@dataclass(slots=True)
class Issued:
    """A pair that Zendesk issued, and what became of it."""

    number: int
    access: str
    refresh: str
    alive: bool = True


@dataclass(slots=True)
class SimulatedZendesk:
    """The ports `RefreshEndpoint` and `ZendeskApi`, and all that was ever issued."""

    world: World
    pairs: list[Issued] = field(default_factory=list)
    rotations: dict[str, int] = field(default_factory=dict)
    posts: int = 0
    received: dict[str, Actor] = field(default_factory=dict)
    """Who received which pair, by its access token."""

    def issue(self) -> Issued:
        number = len(self.pairs) + 1
        pair = Issued(number, f"a{number}", f"r{number}")
        self.pairs.append(pair)
        return pair

    def tokens_of(self, pair: Issued) -> IssuedTokens:
        return IssuedTokens(
            Secret(pair.access), Secret(pair.refresh), ("tickets:read",), ACCESS_LIFE, REFRESH_LIFE
        )

    def by_access(self, access: str) -> Issued:
        return next(pair for pair in self.pairs if pair.access == access)

    def by_refresh(self, refresh: str) -> Issued:
        return next(pair for pair in self.pairs if pair.refresh == refresh)

    # RefreshEndpoint

    def refresh(self, grant: RefreshGrant, deadline: float) -> IssuedTokens:
        """Arrive at Zendesk, be worked on, and travel back: two points, so that others may come in between."""
        refresh = grant.refresh_token.reveal()
        self.posts += 1
        fresh = self.world.call(
            Call(f"POST refresh_token={refresh}", lambda: ProviderUnavailableError("no answer")),
            lambda: self._rotate(refresh),
        )
        answer = self.world.call(
            Call(f"the answer to {refresh}", lambda: ProviderUnavailableError("no answer")),
            lambda: self._deliver(fresh),
        )
        assert self.world.current is not None
        self.received[answer.access_token.reveal()] = self.world.current
        return answer

    def _rotate(self, refresh: str) -> Issued | None:
        old = self.by_refresh(refresh)
        if not old.alive:
            return None
        old.alive = False
        self.rotations[refresh] = self.rotations.get(refresh, 0) + 1
        return self.issue()

    def _deliver(self, fresh: Issued | None) -> IssuedTokens:
        if fresh is None:
            raise GrantRejectedError("invalid_grant")
        return self.tokens_of(fresh)

    # ZendeskApi

    def who_authorized(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> AuthorizedUser:
        return AuthorizedUser(1, "admin")

    def find_token_id(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> int | None:
        access = access_token.reveal()
        return self.world.call(
            Call(f"GET tokens/current with {access}", lambda: ProviderUnavailableError("no answer")),
            lambda: self._alive(access),
        )

    def _alive(self, access: str) -> int | None:
        pair = self.by_access(access)
        return pair.number if pair.alive else None

    def delete_token(
        self, subdomain: Subdomain, token_id: int, access_token: Secret, deadline: float
    ) -> None:
        self.world.call(
            Call(f"DELETE token {token_id}", lambda: ProviderUnavailableError("no answer")),
            lambda: self._delete(token_id),
        )

    def _delete(self, token_id: int) -> None:
        self.pairs[token_id - 1].alive = False
