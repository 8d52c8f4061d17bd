"""What `refresh` answers an operator: what is known, and never a token."""

from zendesk_oauth.models.inquiry import Examination, ProbeAnswer
from zendesk_oauth.models.instant import utc_text


def probe_payload(answer: ProbeAnswer) -> dict[str, object]:
    """Return what is known of a token: its state, what Zendesk says it may, and the id and role of whose it is."""
    connection, user = answer.connection, answer.user
    return {
        "outcome": answer.outcome.value,
        "status": connection.status.value if connection else None,
        "epoch": connection.version.epoch if connection else None,
        "generation": connection.version.generation if connection else None,
        "scopes": None if answer.scopes is None else list(answer.scopes),
        "expires_at": utc_text(answer.expires_at) if answer.expires_at else None,
        "user_id": user.user_id if user else None,
        "role": user.role if user else None,
        "cause": answer.cause,
    }


def examination_payload(examination: Examination) -> dict[str, object]:
    """Return how each of what was looked at is: `ok`, the code of an error, or null where it was not asked.

    `secret_problem` is a sentence, or null where nothing is wrong with the secret itself.
    """
    return dict(examination._asdict())
