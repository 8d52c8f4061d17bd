"""A grant: a named scope set, configured at deployment."""

import re
from dataclasses import dataclass

from zendesk_oauth.models.scopes import Scopes

DEFAULT_GRANT = "default"
GRANT_NAME = re.compile(r"[a-z0-9-]{1,32}")
"""No `#` and no dots: a grant leads the connection's key, so that IAM can hold a worker to it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A name and the scopes that are asked for under it."""

    name: str
    scopes: Scopes
