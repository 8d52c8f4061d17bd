"""The authorization request (RFC 6749 section 4.1.1) with PKCE (RFC 7636) and what the browser keeps of it."""

import hashlib
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.install import Install
from zendesk_oauth.models.secret import Entropy, OneUseSecret, Secret, base64url, derive, new_secret

_VERIFIER = "pkce code verifier"
_HANDLE = "confirmation handle"


@dataclass(frozen=True, slots=True)
class BrowserBinding:
    """The two secrets of a started install: the state, which travels, and the browser's, which stays in its cookie.

    What else is needed later is derived from both, and so is stored nowhere.
    """

    state: OneUseSecret
    browser: Secret

    @classmethod
    def new(cls, install_id: str, entropy: Entropy) -> "BrowserBinding":
        """Draw both secrets."""
        return cls(OneUseSecret(install_id, new_secret(entropy)), new_secret(entropy))

    @property
    def code_verifier(self) -> Secret:
        """43 characters (RFC 7636 section 4.1)."""
        return derive(self.browser, _VERIFIER, self.state.text)

    @property
    def handle(self) -> OneUseSecret:
        """What the company's backend confirms with: the same at each opening of the same callback."""
        return OneUseSecret(self.state.install_id, derive(self.browser, _HANDLE, self.state.text))


def authorization_url(install: Install, binding: BrowserBinding, client_id: str, endpoints: Endpoints) -> str:
    """Return the address at Zendesk where the person presses Allow or Deny.

    Source: Zendesk, "Using OAuth authentication with your application", step 2.
    """
    challenge = hashlib.sha256(binding.code_verifier.reveal().encode()).digest()
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": endpoints.redirect_uri,
        "scope": " ".join(install.scopes),
        "state": binding.state.text,
        "code_challenge": base64url(challenge),
        "code_challenge_method": "S256",
    }
    return f"{endpoints.authorize(install.account)}?{urlencode(query, quote_via=quote)}"
