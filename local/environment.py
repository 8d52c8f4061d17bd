"""What a second terminal needs so that its AWS is the local stack: a file to source, there as long as the stack runs.

The rule: it names the emulator and its account alone, so whoever sources it can do nothing in AWS by mistake.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socket import socket

from local import places
from local.ministack import REGION, Emulator

_IN_THE_WAY = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
"""What a person's own terminal may have, and what would go before the key or beside it."""
_ADDRESS = re.compile(r"AWS_ENDPOINT_URL=http://127\.0\.0\.1:([0-9]+)$", re.MULTILINE)
_ACCOUNT = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def variables(emulator: Emulator, stack_name: str, worker: Mapping[str, str]) -> dict[str, str]:
    """Return what is set: the emulator's account with its own key, the Region, and the deployment by its stack.

    Then what a worker's function is given, and where the library lies, so that a program of one's own runs as well.
    """
    known = emulator.environment()
    account = {name: known[name] for name in _ACCOUNT}
    return {
        **account,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "ZENDESK_OAUTH_STACK": stack_name,
        **worker,
        "PYTHONPATH": str(places.LIBRARY),
    }


@contextmanager
def kept(environment: Mapping[str, str], file: Path) -> Iterator[None]:
    """Keep a file that sets these variables while the block runs; another run's, which has taken its place, is left.

    One of before, whose stack still runs, comes back afterwards.
    """
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    text = "\n".join([f"unset {' '.join(_IN_THE_WAY)}", *lines, ""])
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        if file.exists() and file.read_text(encoding="utf-8") == text:
            file.unlink()
            if _is_answered(before):
                file.write_text(before, encoding="utf-8")


def _is_answered(text: str) -> bool:
    """Tell whether somebody listens at the address that such a file names."""
    found = _ADDRESS.search(text)
    if found is None:
        return False
    with socket() as asking:
        return asking.connect_ex(("127.0.0.1", int(found[1]))) == 0
