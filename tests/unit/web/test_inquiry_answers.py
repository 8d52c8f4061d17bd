"""What an operator is answered: what is known, by name, and no token."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from tests.unit.services.test_refreshing import World
from zendesk_oauth.models.inquiry import Examination, ProbeAnswer, ProbeOutcome
from zendesk_oauth.models.refresh import Version
from zendesk_oauth.models.tokens import AuthorizedUser
from zendesk_oauth.web.inquiry_answers import examination_payload, probe_payload


def test_a_living_token_is_told_with_all_that_zendesk_says() -> None:
    """As JSON, without the token."""
    row = replace(World().row, version=Version(2, 7))
    until, user = datetime(2027, 1, 6, 12, tzinfo=UTC), AuthorizedUser(4711, "admin")
    payload = probe_payload(ProbeAnswer(ProbeOutcome.ALIVE, row, ("users:read",), until, user))
    assert json.loads(json.dumps(payload)) == {
        "outcome": "alive",
        "status": "active",
        "epoch": 2,
        "generation": 7,
        "scopes": ["users:read"],
        "expires_at": "2027-01-06T12:00:00Z",
        "user_id": 4711,
        "role": "admin",
        "cause": None,
    }


def test_what_is_not_known_is_null() -> None:
    """Each field is there all the same."""
    payload = probe_payload(ProbeAnswer(ProbeOutcome.NOT_CONNECTED))
    assert payload.pop("outcome") == "not_connected"
    assert set(payload.values()) == {None}
    assert len(payload) == 8


def test_an_examination_is_told_part_by_part() -> None:
    """By their names."""
    payload = examination_payload(Examination("configuration", None, "ok", "it is empty"))
    assert payload == {
        "secret": "configuration",
        "client": None,
        "key": "ok",
        "secret_problem": "it is empty",
    }
