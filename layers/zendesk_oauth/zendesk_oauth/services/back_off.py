"""How long a connection is left alone after an answer that nobody could read.

Such an answer is often the last there is: an account that was renamed or deleted answers each word with a page.
"""

from datetime import timedelta

from zendesk_oauth.models.refresh import BACK_OFF, Connection

LONGEST_BACK_OFF = timedelta(hours=1)


def longer_back_off(connection: Connection) -> timedelta:
    """Return twice the wait of the attempt that the row still shows as unresolved, within 15 s and an hour.

    The claim says when that became unresolved, and the row when it was to be tried again.
    """
    claim, retry_at = connection.claim, connection.retry_at
    if claim is None or not claim.unresolved or retry_at is None:
        return BACK_OFF
    return min(max((retry_at - claim.until) * 2, BACK_OFF), LONGEST_BACK_OFF)
