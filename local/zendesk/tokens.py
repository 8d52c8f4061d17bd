"""Authorization codes and token pairs: how long they live, and what ends them.

The rule: a code lives 120 s and is used once; a new pair kills the pair it replaces, both halves, at once.
Callers hold `lock` over every use that reads first and writes after.
"""

import itertools
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin

from local.zendesk.accounts import Account, Person
from local.zendesk.lifetimes import Lifetimes

CODE_SECONDS = 120
_DEFAULT_ACCESS = 30 * 60
_DEFAULT_REFRESH = 30 * 24 * 3600


@dataclass
class Code(AuthorizationCodeMixin):
    """An authorization code, and everything that it is bound to."""

    value: str = field(repr=False)
    account: Account
    person: Person
    redirect_uri: str
    asked: str
    scope: str
    expires_at: float
    code_challenge: str | None = None
    code_challenge_method: str | None = None

    def get_redirect_uri(self) -> str:
        """Return the address that this code was sent to."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return what was granted."""
        return self.scope


@dataclass
class TokenPair(TokenMixin):
    """An access token and its refresh token; ends are in epoch seconds. `successor` is what it was renewed into."""

    id: int
    account: Account
    person: Person
    scope: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    issued_at: float
    access_ends_at: float
    refresh_ends_at: float
    asked: Lifetimes
    is_dead: bool = False
    successor: "TokenPair | None" = None

    def check_client(self, client: ClientMixin) -> bool:
        """Say whether the pair is this client's; there is one client only."""
        return client is not None

    def get_scope(self) -> str:
        """Return what was granted."""
        return self.scope

    def answer(self) -> dict[str, str | int]:
        """Return the token endpoint's answer; lifetimes stand in it only where they were asked for."""
        answer: dict[str, str | int] = {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "token_type": "bearer",
            "scope": self.scope,
        }
        if self.asked.access is not None:
            answer["expires_in"] = self.asked.access
        if self.asked.refresh is not None:
            answer["refresh_token_expires_in"] = self.asked.refresh
        return answer


class Tokens:
    """Every code and every pair, dead ones too, so that a dead token is told from an unknown one."""

    def __init__(self, clock: Callable[[], float], length: int, mark: str) -> None:
        self.lock = threading.RLock()
        self.now = clock
        self._length = length
        self._mark = mark
        self._ids = itertools.count(10_001)
        self._codes: dict[str, Code] = {}
        self._pairs: list[TokenPair] = []
        self._by_access: dict[str, TokenPair] = {}
        self._by_refresh: dict[str, TokenPair] = {}

    def new_text(self) -> str:
        """Return a fresh random text for a code or a token, with the mark in front."""
        return self._mark + secrets.token_hex(self._length // 2)

    def put_code(self, code: Code) -> None:
        """Keep a code until it is used."""
        with self.lock:
            self._codes[code.value] = code

    def find_code(self, value: str, account: Account) -> Code | None:
        """Return the living code of this account, or None."""
        with self.lock:
            code = self._codes.get(value)
        if code is None or code.account is not account or code.expires_at <= self.now():
            return None
        return code

    def rename_code(self, value: str, to: str, seconds: float) -> None:
        """Give a living code another text and another life, as an example event needs one. Raises KeyError."""
        with self.lock:
            code = self._codes.pop(value)
            code.value, code.expires_at = to, self.now() + seconds
            self._codes[to] = code

    def use_up(self, code: Code) -> None:
        """Take a code away: it was used."""
        with self.lock:
            self._codes.pop(code.value, None)

    def issue(self, account: Account, person: Person, scope: str, asked: Lifetimes) -> TokenPair:
        """Make a new pair and keep it."""
        now = self.now()
        pair = TokenPair(
            id=next(self._ids),
            account=account,
            person=person,
            scope=scope,
            access_token=self.new_text(),
            refresh_token=self.new_text(),
            issued_at=now,
            access_ends_at=now + (asked.access or _DEFAULT_ACCESS),
            refresh_ends_at=now + (asked.refresh or _DEFAULT_REFRESH),
            asked=asked,
        )
        with self.lock:
            self._pairs.append(pair)
            self._by_access[pair.access_token] = pair
            self._by_refresh[pair.refresh_token] = pair
        return pair

    def keep_refresh_token(self, pair: TokenPair, refresh_token: str) -> None:
        """Let `pair` be refreshed with an older refresh token, as where an answer has no new one."""
        with self.lock:
            self._by_refresh.pop(pair.refresh_token, None)
            pair.refresh_token = refresh_token
            self._by_refresh[refresh_token] = pair

    def find_by_access(self, access_token: str) -> TokenPair | None:
        """Return the pair of this access token, living or dead, or None."""
        with self.lock:
            return self._by_access.get(access_token)

    def find_refreshable(self, refresh_token: str, account: Account) -> TokenPair | None:
        """Return the pair that this refresh token can still renew, or None."""
        with self.lock:
            pair = self._by_refresh.get(refresh_token)
        if pair is None or pair.is_dead or pair.account is not account or pair.refresh_ends_at <= self.now():
            return None
        return pair

    def end_family(self, refresh_token: str, account: Account) -> None:
        """Kill every pair that descends from a spent refresh token; nothing happens to one that was not spent."""
        with self.lock:
            pair = self._by_refresh.get(refresh_token)
            while pair is not None and pair.account is account and pair.successor is not None:
                pair = pair.successor
                pair.is_dead = True

    def is_live(self, pair: TokenPair) -> bool:
        """Say whether the pair's access token is good now."""
        return not pair.is_dead and self.now() < pair.access_ends_at

    def all(self, subdomain: str | None = None) -> list[TokenPair]:
        """Return every pair ever issued, of one account or of all, oldest first."""
        with self.lock:
            return [pair for pair in self._pairs if subdomain in {None, pair.account.subdomain}]

    def alive(self, subdomain: str | None = None) -> list[TokenPair]:
        """Return the pairs that have not been revoked, rotated away or run out."""
        now = self.now()
        return [pair for pair in self.all(subdomain) if not pair.is_dead and now < pair.refresh_ends_at]

    def revoke(self, token_id: int) -> TokenPair | None:
        """Kill the pair with this id, both halves, and return it; None if there is none alive."""
        with self.lock:
            for pair in self._pairs:
                if pair.id == token_id and not pair.is_dead:
                    pair.is_dead = True
                    return pair
        return None
