"""The process of some workers, run on the built layers alone: `PYTHON -S -P program.py`, with an order on its input.

Each container is a `Connections` of its own, and each of its threads a worker: it asks for a token, calls Zendesk,
asks once more where that is a 401, and says how it went. The rule: a token is said by its digest alone.
"""

import hashlib
import json
import sys
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from zendesk_oauth import Connections
from zendesk_oauth.errors import TokenUnavailableError
from zendesk_oauth.models.subdomain import parse_subdomain
from zendesk_oauth.models.token import AccessToken

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_TIMEOUT_SECONDS = 30
_CALL = "/api/v2/users/me.json"


def _digest(token: AccessToken) -> str:
    return hashlib.sha256(token.value.reveal().encode()).hexdigest()


def _called(address: str, token: AccessToken) -> int:
    """Call Zendesk and return the status."""
    headers = {"Authorization": f"Bearer {token.value.reveal()}"}
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 - the settings' address, checked
    try:
        with _OPENER.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _work(connections: Connections, subdomain: str) -> dict[str, Any]:
    """Be one worker, and return what it met."""
    address = f"{connections.account_url(parse_subdomain(subdomain))}{_CALL}"
    statuses: list[int] = []
    met: dict[str, Any] = {"statuses": statuses}
    try:
        token = connections.token(subdomain)
        statuses.append(_called(address, token))
        if statuses == [HTTPStatus.UNAUTHORIZED]:
            token = connections.token(subdomain, newer_than=token.generation)
            statuses.append(_called(address, token))
    except TokenUnavailableError as error:
        names = ("reason", "reconnect_url")
        return met | {"error": error.code} | {name: getattr(error, name, None) for name in names}
    return met | {"digest": _digest(token), "generation": token.generation}


def _at_once(subdomain: str, containers: int, threads: int) -> list[dict[str, Any]]:
    """Let all workers begin together."""
    ready = threading.Barrier(containers * threads)

    def begin(connections: Connections) -> dict[str, Any]:
        ready.wait()
        return _work(connections, subdomain)

    places = [each for _ in range(containers) for each in [Connections.from_environ()] * threads]
    with ThreadPoolExecutor(len(places)) as pool:
        return list(pool.map(begin, places))


if __name__ == "__main__":
    json.dump(_at_once(**json.load(sys.stdin)), sys.stdout)
