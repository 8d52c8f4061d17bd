"""Every check, in the order in which they are shown, and what becomes of one that cannot be made."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from cli.checkup import alarms, stack, tables, zendesk
from cli.checkup.patient import Patient
from cli.errors import CommandError

CHECKS: Mapping[str, Callable[[Patient], str | None]] = {
    "stack": stack.stack,
    "functions": stack.functions,
    "roles": stack.roles,
    "policies": stack.policies,
    "schedules": stack.schedules,
    "tables": tables.tables,
    "streams": tables.streams,
    "alarms": alarms.alarms,
    "no alarm rings": alarms.silence,
    "queues are empty": alarms.queues,
    "public address": zendesk.address,
    "client secret": zendesk.secret,
    "client at Zendesk": zendesk.client,
    "token key": zendesk.key,
    "redirect address": zendesk.redirect,
    "global client": zendesk.is_global,
}
"""Each returns None where all is well, or what to do."""


class Finding(NamedTuple):
    """How a check has ended; `mend` says what to do where it is not `ok`."""

    check: str
    ok: bool
    mend: str | None


def findings(patient: Patient) -> Iterator[Finding]:
    """Make every check. None keeps another from being made."""
    for name, check in CHECKS.items():
        mend = _mend(check, patient)
        yield Finding(name, mend is None, mend)


def _mend(check: Callable[[Patient], str | None], patient: Patient) -> str | None:
    from cli.trouble import trouble_of, unforeseen  # noqa: PLC0415 - as cli.desk says

    try:
        return check(patient)
    except CommandError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - it is told in its line, and the others are looked at
        return str(trouble_of(error) or unforeseen(error))
