"""The attributes of a connection's row that each reader and writer names, by the adapters' own words.

The template repeats them, because IAM has to: what an adapter comes to read, or reads no longer, is seen here.
"""

from dataclasses import replace
from datetime import UTC, datetime

from cli.jobs.import_rows import READ, NewRow, Over, SeenRow, import_update
from cli.jobs.restore_update import SEEN
from tests.doubles.samples import establishment
from zendesk_oauth.adapters.dynamodb_directory_rows import PROJECTED
from zendesk_oauth.adapters.dynamodb_refresh_rows import mark_disconnecting_update
from zendesk_oauth.adapters.dynamodb_token_reader import ATTRIBUTES, KEY
from zendesk_oauth.models.connection import ConnectionStatus

READ_BY_WORKERS = sorted({KEY, *ATTRIBUTES})
READ_BY_CONNECTIONS = sorted({KEY, *ATTRIBUTES, *PROJECTED})
_MARK = mark_disconnecting_update("default#acme", 1, datetime(2026, 1, 1, tzinfo=UTC)).arguments()
MARKED = sorted({KEY, *_MARK["ExpressionAttributeNames"].values()})
READ_BY_IMPORT = sorted(READ)
READ_BY_RESTORE = sorted(SEEN)
_NOON = datetime(2026, 1, 1, tzinfo=UTC)


def _imported(over: Over) -> set[str]:
    """Return the attributes of one of an import's writes; those of superseded pairs carry an id in their names."""
    seen = SeenRow(None, ConnectionStatus.ACTIVE, 1, None)
    made = replace(establishment(user_reference="user-7"), authorized_by=None)
    written = [
        import_update(NewRow(each, "L" * 22, over, seen), _NOON).arguments()
        for each in (establishment(), made)
    ]
    named = {name for write in written for name in write["ExpressionAttributeNames"].values()}
    return {"superseded_*" if name.startswith("superseded_") else name for name in named}


WRITTEN_BY_IMPORT = sorted({KEY, *(name for over in Over for name in _imported(over))})
