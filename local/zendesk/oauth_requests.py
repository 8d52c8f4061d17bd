"""The two requests of OAuth, as Authlib's server half wants to see them.

The rule: each knows the account whose page or endpoint it came to.
"""

from collections.abc import Mapping
from typing import Any

from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Request
from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from flask import Request

from local.zendesk.accounts import Account


class PageRequest(FlaskOAuth2Request):
    """A request to the authorization page, and whose page it is; `user` is a Person once somebody has signed in."""

    user: Any

    def __init__(self, request: Request, account: Account) -> None:
        super().__init__(request)
        self.account = account


class TokenRequest(OAuth2Request):
    """A request to the token endpoint: the body only, form or JSON, never the query."""

    payload: BasicOAuth2Payload
    user: Any
    authorization_code: Any

    def __init__(self, uri: str, fields: Mapping[str, str], account: Account) -> None:
        super().__init__("POST", uri)
        self.account = account
        self._fields = dict(fields)
        self.payload = BasicOAuth2Payload(self._fields)

    @property
    def form(self) -> dict[str, str]:
        """The fields of the body."""
        return self._fields
