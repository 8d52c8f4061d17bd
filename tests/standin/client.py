"""A plain OAuth client for the stand-in's tests: it sends exactly what it is told and follows nothing."""

from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from local.zendesk.person import approve

CLIENT_ID = "zdg-example"
CLIENT_SECRET = "stand-in-client-secret"
REDIRECT_URI = "https://connect.example.com/oauth/callback"
VERIFIER = "v" * 43
CHALLENGE: str = create_s256_code_challenge(VERIFIER)  # type: ignore[no-untyped-call]  # no types in the stub
SCOPE = "users:read tickets:read"
LIFETIMES = {"expires_in": "172800", "refresh_token_expires_in": "7776000"}


def answered(url: str) -> dict[str, str]:
    """Return the query of a callback's address."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


class PlainClient:
    """Requests as an integration makes them; a change of None leaves the field out."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy of the environment stands between us and loopback

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()

    def authorize_url(self, subdomain: str = "acme", /, **changes: str | None) -> str:
        """Return the address of the authorization page."""
        parameters = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPE,
            "state": "id.secret",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        query = urlencode({name: value for name, value in parameters.items() if value is not None})
        return f"{self.address}/{subdomain}/oauth/authorizations/new?{query}"

    def code(self, subdomain: str = "acme", role: str = "admin", /, **changes: str | None) -> str:
        """Return the code that comes of a press of Allow."""
        return answered(approve(self.authorize_url(subdomain, **changes), role))["code"]

    def post(self, fields: dict[str, str | None], subdomain: str = "acme") -> requests.Response:
        """Post to the token endpoint as a form."""
        body = {name: value for name, value in fields.items() if value is not None}
        return self.session.post(
            f"{self.address}/{subdomain}/oauth/tokens", data=body, timeout=10, allow_redirects=False
        )

    def exchange(self, code: str, subdomain: str = "acme", /, **changes: str | None) -> requests.Response:
        """Post an authorization code."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
            "scope": SCOPE,
            **LIFETIMES,
            **changes,
        }
        return self.post(fields, subdomain)

    def refresh(
        self, refresh_token: str, subdomain: str = "acme", /, **changes: str | None
    ) -> requests.Response:
        """Post a refresh token."""
        fields = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            **LIFETIMES,
            **changes,
        }
        return self.post(fields, subdomain)

    def pair(self, subdomain: str = "acme", role: str = "admin", scope: str = SCOPE) -> dict[str, Any]:
        """Return the whole answer of an install that was allowed."""
        response = self.exchange(self.code(subdomain, role, scope=scope), subdomain, scope=scope)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def api(  # the parts of a call, all but the first two by name
        self, token: str, path: str, *, method: str = "GET", subdomain: str = "acme", json: object = None
    ) -> requests.Response:
        """Call the API with a bearer token."""
        url = f"{self.address}/{subdomain}/api/v2/{path}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.session.request(method, url, headers=headers, json=json, timeout=10)

    def is_alive(self, token: str, subdomain: str = "acme") -> bool:
        """Ask Zendesk whether a token is good."""
        return self.api(token, "oauth/tokens/current.json", subdomain=subdomain).status_code == 200

    def control(self, method: str, path: str, json: object = None) -> requests.Response:
        """Call a control route."""
        return self.session.request(method, f"{self.address}/_control/{path}", json=json, timeout=10)
