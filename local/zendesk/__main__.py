"""`python -m local.zendesk`: the stand-in as a process of its own, until Ctrl-C or SIGTERM.

The rule: one line says its address when it is ready; it keeps no secret of any request.
"""

import argparse
import signal
import threading
from collections.abc import Sequence

from local.zendesk.server import running_zendesk
from local.zendesk.settings import Settings


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.zendesk", description="A stand-in for Zendesk, on loopback."
    )
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes any that is free")
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--client-secret", required=True)
    parser.add_argument("--redirect-uri", required=True, action="append", help="can be given several times")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop."""
    given = _arguments(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    settings = Settings(given.client_id, given.client_secret, tuple(given.redirect_uri), keep_raw=False)
    with running_zendesk(settings, port=given.port) as standin:
        print(f"stand-in for Zendesk: {standin.base_url}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
