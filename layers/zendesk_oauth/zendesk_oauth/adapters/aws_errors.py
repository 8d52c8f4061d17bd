"""What every service of AWS says of an error in the same way, and what a queue that does not take a message means."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from zendesk_oauth.errors import StoreUnavailableError


def code_of(error: ClientError) -> str:
    """Return the error's code, or "unknown" where the answer had none."""
    return error.response.get("Error", {}).get("Code") or "unknown"


@contextmanager
def queue_errors(queue: str) -> Iterator[None]:
    """Translate: whatever a queue's reason is, StoreUnavailableError. Messages name the queue and the kind only."""
    try:
        yield
    except ClientError as error:
        raise StoreUnavailableError(f"{queue}: {code_of(error)}") from error
    except BotoCoreError as error:
        raise StoreUnavailableError(f"{queue}: {type(error).__name__}") from error
