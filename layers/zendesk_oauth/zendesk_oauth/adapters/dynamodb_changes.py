"""A record of a table's stream: what was changed, as the row was before and as it is after.

A stream shows whole rows, sealed pairs too. Of those only the attributes named here are looked at, and no other is
ever kept: not in a log, not in a queue, not in an event.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from zendesk_oauth.adapters.dynamodb_directory_rows import PROJECTED, summary_of
from zendesk_oauth.adapters.dynamodb_install_attributes import install_of
from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.models.connection import REPLACED_MARK
from zendesk_oauth.models.connection_summary import ConnectionSummary
from zendesk_oauth.models.event import Change, ConnectionChange, InstallChange
from zendesk_oauth.models.install import Install

FORMAT = 1
"""The number of the form of a kept record: one that a reader does not know stays in the queue."""
INSTALL = (
    *("install_id", "status", "grant", "scopes", "subdomain", "created_at", "expires_at"),
    *("user_reference", "reason", "missing_scopes"),
)
"""What is looked at of an install: no fingerprint, no address to return to, nothing sealed."""
CONNECTION = tuple(name for name in PROJECTED if not name.startswith("authorized_user"))
"""What is looked at of a connection: what an operator is shown, but for the person who pressed Allow."""
_LOOKED_AT = {"install_id": INSTALL, "connection_key": CONNECTION}
_KEYS, _OLD, _NEW, _AT = "Keys", "OldImage", "NewImage", "ApproximateCreationDateTime"


class DynamoDBChangeRecord(NamedTuple):
    """The port `Record` over the `dynamodb` part of a stream's record, as Lambda delivers it or as it was kept."""

    reference: str
    unverified: Mapping[str, Any]

    def __repr__(self) -> str:
        """Show the reference alone: the rest has sealed tokens in it."""
        return f"DynamoDBChangeRecord({self.reference!r})"

    def read(self) -> Change:
        """Return the change. Raises MalformedRequestError, without a word of what the record holds."""
        change = self._change_or_none()
        if change is None:
            raise MalformedRequestError("a stream's record that cannot be read")
        return change

    def kept(self) -> str:
        """Return the parts that are looked at, as they are."""
        images = {name: self._looked_at(name) for name in (_OLD, _NEW) if name in self.unverified}
        plain = {name: self.unverified.get(name) for name in (_KEYS, _AT)}
        return json.dumps({"format": FORMAT, "record": plain | images}, default=str)

    def _change_or_none(self) -> Change | None:
        """Return the change, or None; the parser's own error would quote the record, and so is dropped here."""
        if self._key() not in _LOOKED_AT or not self.unverified.keys() & {_OLD, _NEW}:
            return None
        try:
            changed_at = datetime.fromtimestamp(int(self.unverified[_AT]), UTC)
            if self._key() == "install_id":
                return InstallChange(self._install(_OLD), self._install(_NEW), changed_at)
            return ConnectionChange(self._connection(_OLD), self._connection(_NEW), changed_at)
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            return None

    def _key(self) -> str | None:
        """Return the name of the row's key, which says of what table it is; None where there is no such name."""
        keys = self.unverified.get(_KEYS)
        return next(iter(keys), None) if isinstance(keys, dict) else None

    def _install(self, image: str) -> Install | None:
        return install_of(self._looked_at(image)) if image in self.unverified else None

    def _connection(self, image: str) -> ConnectionSummary | None:
        """Return the connection; None where there is none: the row of a replaced pair tells nothing of one."""
        if self.unverified[_KEYS]["connection_key"]["S"].startswith(REPLACED_MARK):
            return None
        return summary_of(self._looked_at(image)) if image in self.unverified else None

    def _looked_at(self, image: str) -> dict[str, Any]:
        """Return the part of an image that may be looked at; nothing of one that is none, or of no known table."""
        names, found = _LOOKED_AT.get(self._key() or "", ()), self.unverified[image]
        return {name: found[name] for name in names if name in found} if isinstance(found, dict) else {}
