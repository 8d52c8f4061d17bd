"""What a second terminal needs so that its AWS is the local stack: a file to source, there as long as the stack runs.

The rule: it names the emulator and its account alone, so whoever sources it can do nothing in AWS by mistake.
"""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.ministack import REGION, Emulator

_IN_THE_WAY = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
"""What a person's own terminal may have, and what would go before the key or beside it."""
_ACCOUNT = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def variables(emulator: Emulator, stack_name: str) -> dict[str, str]:
    """Return what is set: the emulator's account with its own key, the Region, and the deployment by its stack."""
    known = emulator.environment()
    account = {name: known[name] for name in _ACCOUNT}
    return account | {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "ZENDESK_OAUTH_STACK": stack_name,
    }


@contextmanager
def kept(environment: Mapping[str, str], file: Path) -> Iterator[None]:
    """Keep a file that sets these variables while the block runs; another run's, which has taken its place, is left."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    text = "\n".join([f"unset {' '.join(_IN_THE_WAY)}", *lines, ""])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        if file.exists() and file.read_text(encoding="utf-8") == text:
            file.unlink()
