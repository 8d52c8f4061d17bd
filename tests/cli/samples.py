"""Connections as the API shows them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from zendesk_oauth.models.instant import utc_text


def at(**away: float) -> str:
    """Return an instant so far from now, as the API writes it; half a minute more, so that it is not less when read."""
    return utc_text(datetime.now(UTC) + timedelta(**away) + timedelta(seconds=30))


def connection(subdomain: str = "acme", **changes: Any) -> Mapping[str, Any]:
    """Return an active connection, with every field that the API shows."""
    return {
        "grant": "default",
        "subdomain": subdomain,
        "status": "active",
        "epoch": 1,
        "generation": 3,
        "install_id": "A" * 22,
        "scopes": ["users:read", "tickets:read"],
        "missing_scopes": [],
        "issued_at": at(hours=-2),
        "expires_at": at(hours=46),
        "refresh_at": at(hours=45),
        "refresh_expires_at": at(days=90),
        "keep_alive_at": at(days=50),
        "established_at": at(days=-10),
        "connected_at": at(days=-10),
        "reconnect_reason": None,
        "reconnect_since": None,
        "authorized_user_id": 4711,
        "authorized_user_role": "admin",
        "user_reference": None,
        "claim": None,
        "retry_at": None,
        "disconnect": None,
        **changes,
    }
