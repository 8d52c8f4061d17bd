"""What the stand-in was asked: for tests that count calls and look at their fields.

The rule: a secret is kept as its SHA-256 and its last four characters; raw only if the settings say so, and never
shown over HTTP.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

_PLAIN = {
    *("grant_type", "client_id", "redirect_uri", "scope", "expires_in", "refresh_token_expires_in"),
    *("response_type", "code_challenge_method", "person", "decision"),
}


def redacted(value: str) -> str:
    """Return what may be kept of a secret: its SHA-256 in hex and its last four characters."""
    return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}…{value[-4:]}"


def without_secrets(values: Mapping[str, str]) -> dict[str, str]:
    """Return the values with everything redacted that is not known to be harmless."""
    return {name: value if name in _PLAIN else redacted(value) for name, value in values.items()}


@dataclass
class TokenPost:
    """One request to the token endpoint; `status` is None until it was answered, and stays so if it never was."""

    at: float
    subdomain: str
    content_type: str
    fields: dict[str, str]
    raw: Mapping[str, str] | None = field(repr=False)
    status: int | None = None

    @property
    def grant_type(self) -> str:
        """The grant type as it was sent, empty if it was not."""
        return self.fields.get("grant_type", "")


@dataclass
class AuthorizationSeen:
    """One request to the authorization page, or one press of Allow or Deny."""

    at: float
    subdomain: str
    method: str
    parameters: dict[str, str]
    raw: Mapping[str, str] | None = field(repr=False)


@dataclass
class ApiCall:
    """One call of the API; `token` is redacted, `marketplace` is what a Marketplace app says of itself, by header."""

    at: float
    subdomain: str
    method: str
    path: str
    token: str
    marketplace: dict[str, str] = field(default_factory=dict)
    status: int | None = None


class Seen:
    """Everything that was asked since the start or the last `clear`."""

    def __init__(self, clock: Callable[[], float], *, keep_raw: bool) -> None:
        self._clock = clock
        self._keep_raw = keep_raw
        self._lock = threading.Lock()
        self.token_posts: list[TokenPost] = []
        self.authorizations: list[AuthorizationSeen] = []
        self.api_calls: list[ApiCall] = []
        self.elsewhere: list[str] = []

    def token_post(self, subdomain: str, content_type: str, fields: Mapping[str, str]) -> TokenPost:
        """Note a request to the token endpoint."""
        raw = dict(fields) if self._keep_raw else None
        post = TokenPost(self._clock(), subdomain, content_type, without_secrets(fields), raw)
        with self._lock:
            self.token_posts.append(post)
        return post

    def authorization(self, subdomain: str, method: str, parameters: Mapping[str, str]) -> None:
        """Note a request to the authorization page."""
        raw = dict(parameters) if self._keep_raw else None
        seen = AuthorizationSeen(self._clock(), subdomain, method, without_secrets(parameters), raw)
        with self._lock:
            self.authorizations.append(seen)

    def api_call(self, subdomain: str, method: str, path: str, token: str) -> ApiCall:
        """Note a call of the API."""
        call = ApiCall(self._clock(), subdomain, method, path, redacted(token) if token else "")
        with self._lock:
            self.api_calls.append(call)
        return call

    def at_another_host(self, method: str) -> None:
        """Note that somebody followed a redirect which nobody should follow."""
        with self._lock:
            self.elsewhere.append(method)

    def count(self, grant_type: str | None = None, subdomain: str | None = None) -> int:
        """Return the number of requests to the token endpoint, of one kind or account or of all."""
        return sum(
            1
            for post in list(self.token_posts)
            if grant_type in {None, post.grant_type} and subdomain in {None, post.subdomain}
        )

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self.token_posts.clear()
            self.authorizations.clear()
            self.api_calls.clear()
            self.elsewhere.clear()

    def report(self) -> dict[str, object]:
        """Return counts and requests as JSON values, without any secret."""
        with self._lock:
            posts = [asdict(post) for post in self.token_posts]
            pages = [asdict(page) for page in self.authorizations]
            calls = [asdict(call) for call in self.api_calls]
        for entry in (*posts, *pages):
            del entry["raw"]
        return {
            "token_posts": {
                "total": len(posts),
                "by_grant_type": Counter(post["fields"].get("grant_type", "") for post in posts),
                "by_subdomain": Counter(post["subdomain"] for post in posts),
            },
            "token_requests": posts,
            "authorization_requests": pages,
            "api_calls": calls,
            "elsewhere": len(self.elsewhere),
        }
