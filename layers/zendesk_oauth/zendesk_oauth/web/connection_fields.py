"""A connection as JSON has it: each field is always there, and null where it has no value."""

from collections.abc import Mapping

from zendesk_oauth.models.connection_summary import ConnectionPage, ConnectionSummary


def connection_fields(connection: ConnectionSummary) -> Mapping[str, object]:
    """Return the fields of one connection."""
    claim, disconnect = connection.claim, connection.disconnect
    return connection._asdict() | {
        "claim": claim._asdict() if claim else None,
        "disconnect": disconnect._asdict() if disconnect else None,
    }


def page_fields(page: ConnectionPage) -> Mapping[str, object]:
    """Return the fields of one page; its cursor is null on the last."""
    return {
        "connections": [connection_fields(connection) for connection in page.connections],
        "cursor": page.cursor.text if page.cursor else None,
    }
