"""Rows that are to be sealed anew, as `refresh` is asked for them and answers.

the operator's command  {"rekey": {"campaign": "…", "rows": [{"grant", "subdomain"}, …]}}
the answer              {"rows": [{"grant", "subdomain", "outcome", "cause", "replaced"}, …]}, in the same order

The row of a replaced pair has its "replaced" beside grant and subdomain.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.models.rekey import MOST_ROWS, RekeyAnswer
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.web.event_fields import exactly, json_list, json_object, row_named, text

CAMPAIGN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Rekey(NamedTuple):
    """Rows to be sealed anew, and the campaign that it is for."""

    campaign: str
    rows: tuple[tuple[str, Subdomain, str | None], ...]


def parse_rekey(value: object) -> Rekey:
    """Return what is asked. Raises MalformedRequestError, which names the part that is wrong and quotes nothing."""
    fields = json_object(value, "rekey")
    exactly(fields, {"campaign", "rows"}, "rekey")
    campaign, rows = text(fields["campaign"], "campaign"), json_list(fields["rows"], "rows")
    if not CAMPAIGN.fullmatch(campaign):
        raise MalformedRequestError("campaign is not 1 to 64 of A-Z, a-z, 0-9, _ and -")
    if not 1 <= len(rows) <= MOST_ROWS:
        raise MalformedRequestError(f"rows are not 1 to {MOST_ROWS}")
    return Rekey(campaign, tuple(row_named(row, "a row") for row in rows))


def rekey_payload(answers: Iterable[RekeyAnswer]) -> dict[str, object]:
    """Return how each row has ended, without anything that is sealed."""
    return {"rows": [answer._asdict() | {"outcome": answer.outcome.value} for answer in answers]}
