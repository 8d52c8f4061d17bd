"""Sealing rows anew: what lies sealed in a row, what a campaign has made of it, and how one visit has ended.

A campaign is one run through all rows, which may be broken off and taken up. Of the pair that it has sealed it leaves
a mark in the row, made of the wrapped keys themselves: so a pair is done as long as it lies under the campaign's own
keys, and not done again as soon as anybody brings older ones back.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from zendesk_oauth.models.refresh import Connection
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair

MOST_ROWS = 25
"""Rows of one request: at the pace of the key service they take a few seconds of the function's minute."""


class RekeyOutcome(StrEnum):
    """How a visit has ended."""

    RESEALED = "resealed"
    """Everything sealed in the row lies under keys of this campaign since now."""
    DONE = "done"
    """It did before."""
    LATER = "later"
    """Not now: somebody is at the row, or was faster, or the keys or the table did not answer in time."""
    NOTHING = "nothing"
    """There is no such row, or nothing in it is sealed."""
    BROKEN = "broken"
    """A pair does not open, under no key that there is: it stays as it lies."""


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A row as one read shows it, and the mark that the last campaign has left, if one has."""

    connection: Connection
    mark: str | None


class RekeyAnswer(NamedTuple):
    """The outcome for one row; `cause` is the code of the error that kept it from its end, where one did.

    `replaced` names the row where it is a replaced pair's.
    """

    grant: str
    subdomain: Subdomain
    outcome: RekeyOutcome
    cause: str | None = None
    replaced: str | None = None


def rekey_mark(campaign: str, sealed: SealedPair) -> str:
    """Return what a campaign leaves of a pair that it has sealed, 32 characters: a hash of the wrapped keys."""
    keys = (sealed.access_token.wrapped_key, sealed.refresh_token.wrapped_key)
    text = "\n".join((campaign, *(key.hex() for key in keys)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
