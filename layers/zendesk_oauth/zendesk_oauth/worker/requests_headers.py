"""Headers of a signed request of `requests`; imported only where a request is signed.

On a redirect `requests` copies the request and lets an entry of `.netrc` for the host replace whatever signs it
(`Session.rebuild_auth`, where `trust_env` is set, which it is by default). No hook runs between that and the call, so
the headers themselves keep the token.
"""

from collections.abc import Mapping

from requests.structures import CaseInsensitiveDict

AUTHORIZATION = "Authorization"


class SignedHeaders(CaseInsensitiveDict[str]):
    """Headers whose `Authorization` stays until it is deleted, as `requests` does on the way to another host."""

    def __init__(self, headers: Mapping[str, str], authorization: str) -> None:
        self._is_signed = False
        super().__init__(headers)
        self[AUTHORIZATION] = authorization
        self._is_signed = True

    def __setitem__(self, key: str, value: str) -> None:
        if not (self._is_signed and _is_authorization(key)):
            super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._is_signed = self._is_signed and not _is_authorization(key)

    def copy(self) -> CaseInsensitiveDict[str]:
        """Return headers of the same kind, as each hop of a redirect gets them."""
        return SignedHeaders(self, self[AUTHORIZATION]) if self._is_signed else super().copy()


def _is_authorization(key: str) -> bool:
    return key.lower() == AUTHORIZATION.lower()
