"""What a row says of an imported pair: who, what and until when, as far as anybody knows.

Nobody knows when such a pair was issued, nor for how long its refresh token lives. So the row is refreshed within a
day even where nobody uses it, and from then on its times are known.
"""

from datetime import datetime, timedelta

from cli.jobs.check_token import Vouched
from cli.jobs.import_line import Line
from zendesk_oauth.models.connection import REFRESH_MARGIN, Establishment, TokenTimes
from zendesk_oauth.models.grant import Grant
from zendesk_oauth.models.refresh import CLOCK_SKEW, LEAST_BETWEEN_REFRESHES
from zendesk_oauth.models.scopes import missing
from zendesk_oauth.models.tokens import FALLBACK_ACCESS_LIFETIME, SealedPair
from zendesk_oauth.services.finish_connection import LONGEST_REFRESH_LIFE

ISSUED_BEFORE = CLOCK_SKEW + LEAST_BETWEEN_REFRESHES
"""A pair that is imported was issued before that, for all that anybody's clock may say: it may be refreshed at once."""
LONGEST_ACCESS_LIFE = timedelta(days=2)
"""The most that Zendesk gives."""
FIRST_REFRESH_WITHIN = timedelta(days=1)


def establishment_of(
    line: Line, vouched: Vouched | None, sealed: SealedPair, grant: Grant, now: datetime
) -> Establishment:
    """Return the row of a line; `vouched` is None for a token that Zendesk refuses, which is due at once."""
    scopes = (vouched and vouched.scopes) or line.scopes or grant.scopes
    return Establishment(
        grant=line.grant,
        subdomain=line.subdomain,
        scopes=scopes,
        missing_scopes=missing(grant.scopes, scopes),
        sealed=sealed,
        times=_times(line, vouched, now),
        authorized_by=vouched.user if vouched else None,
        established_at=now - ISSUED_BEFORE,
        user_reference=line.user_reference,
    )


def _times(line: Line, vouched: Vouched | None, now: datetime) -> TokenTimes:
    if vouched is None:
        over_at = now - CLOCK_SKEW
        return TokenTimes(over_at, over_at, now + LONGEST_REFRESH_LIFE, over_at)
    told = vouched.expires_at or line.expires_at or now + FALLBACK_ACCESS_LIFETIME
    expires_at = min(max(told, now), now + LONGEST_ACCESS_LIFE)
    return TokenTimes(
        expires_at=expires_at,
        refresh_at=expires_at - min(REFRESH_MARGIN, (expires_at - now) / 5),
        refresh_expires_at=now + LONGEST_REFRESH_LIFE,
        keep_alive_at=now + FIRST_REFRESH_WITHIN * _place(line),
    )


def _place(line: Line) -> float:
    """Return where in the first day the line's first refresh lies, from 0 to 1: its own hash scatters them."""
    return int.from_bytes(line.install_id.encode()[:4]) % 1000 / 1000
