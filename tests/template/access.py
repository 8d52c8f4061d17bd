"""The attributes of a connection's row that each reader and writer names, by the adapters' own words.

The template repeats them, because IAM has to: what an adapter comes to read, or reads no longer, is seen here.
"""

from dataclasses import replace
from datetime import UTC, datetime

from cli.jobs.import_rows import READ, READ_TO_REPLACE
from cli.jobs.restore_update import SEEN
from tests.doubles.samples import establishment
from zendesk_oauth.adapters.dynamodb_attributes import Item
from zendesk_oauth.adapters.dynamodb_connection_rows import connection_update
from zendesk_oauth.adapters.dynamodb_directory_rows import PROJECTED
from zendesk_oauth.adapters.dynamodb_refresh_rows import mark_disconnecting_update
from zendesk_oauth.adapters.dynamodb_replaced_rows import COPIED, replaced_update
from zendesk_oauth.adapters.dynamodb_token_reader import ATTRIBUTES, KEY

READ_BY_WORKERS = sorted({KEY, *ATTRIBUTES})
READ_BY_CONNECTIONS = sorted({KEY, *ATTRIBUTES, *PROJECTED})
_MARK = mark_disconnecting_update("default#acme", 1, datetime(2026, 1, 1, tzinfo=UTC)).arguments()
MARKED = sorted({KEY, *_MARK["ExpressionAttributeNames"].values()})
READ_BY_IMPORT = sorted({*READ, *READ_TO_REPLACE})
READ_BY_RESTORE = sorted(SEEN)
_NOON = datetime(2026, 1, 1, tzinfo=UTC)


_WHOLE: Item = {name: {"S": "x"} for name in COPIED}
"""A row with all that goes along with its pair."""


def _imported() -> set[str]:
    """Return the attributes of an import's writes: over nothing, over a pair, and of that pair's own row."""
    unknown = replace(establishment(user_reference="user-7"), authorized_by=None)
    status: Item = {"status": {"S": "active"}}
    unclaimed: Item = {name: value for name, value in _WHOLE.items() if name != "claim_id"}
    writes = [
        replaced_update(_WHOLE, _NOON),
        *(
            connection_update(made, "L" * 22, _NOON, replaced)
            for made in (establishment(), unknown)
            for replaced in (None, {**_WHOLE, **status}, {**unclaimed, **status})
        ),
    ]
    return {name for write in writes for name in write.arguments()["ExpressionAttributeNames"].values()}


WRITTEN_BY_IMPORT = sorted({KEY, *_imported()})
