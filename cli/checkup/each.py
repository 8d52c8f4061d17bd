"""Looks at every resource of a type that the stack has made, and says of each that is not well what to do."""

from collections.abc import Callable, Iterable

from cli.checkup.patient import Patient

GONE = frozenset(
    {
        *("NoSuchEntity", "NoSuchEntityException", "ResourceNotFoundException"),
        *("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
    }
)
"""What the services say of something that is not there."""
PUT_BACK = "put it back, docs/operations.md#what-was-changed-by-hand"
IS_GONE = f"is gone: {PUT_BACK}"

type Look = Callable[[str], str | None]
"""Looks at one resource by its physical id; returns what is wrong with it and what to do, or None."""


def each(patient: Patient, kind: str, look: Look) -> str | None:
    """Return what is to be done about those that are not well, each by its logical id."""
    looked = (
        (name, _gone_or(look, physical)) for name, physical in sorted(patient.resources.get(kind, {}).items())
    )
    return together(f"{name} {mend}" if mend else None for name, mend in looked)


def together(mends: Iterable[str | None]) -> str | None:
    """Return them as one line, or None where there is none."""
    return "; ".join(filter(None, mends)) or None


def _gone_or(look: Look, physical: str) -> str | None:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - as cli.desk says

    from zendesk_oauth.adapters.aws_errors import code_of  # noqa: PLC0415 - as above

    try:
        return look(physical)
    except ClientError as error:
        if code_of(error) in GONE:
            return IS_GONE
        raise
