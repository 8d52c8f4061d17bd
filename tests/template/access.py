"""The attributes of a connection's row that each reader and writer names, by the adapters' own words.

The template repeats them, because IAM has to: what an adapter comes to read, or reads no longer, is seen here.
"""

from datetime import UTC, datetime

from zendesk_oauth.adapters.dynamodb_directory_rows import PROJECTED
from zendesk_oauth.adapters.dynamodb_refresh_rows import mark_disconnecting_update
from zendesk_oauth.adapters.dynamodb_token_reader import ATTRIBUTES, KEY

READ_BY_WORKERS = sorted({KEY, *ATTRIBUTES})
READ_BY_CONNECTIONS = sorted({KEY, *ATTRIBUTES, *PROJECTED})
_MARK = mark_disconnecting_update("default#acme", 1, datetime(2026, 1, 1, tzinfo=UTC)).arguments()
MARKED = sorted({KEY, *_MARK["ExpressionAttributeNames"].values()})
