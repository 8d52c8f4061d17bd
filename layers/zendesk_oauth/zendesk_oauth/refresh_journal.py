"""What `refresh` says of its work: one JSON line a connection, and counts with few dimensions.

A loss is counted by the call that judged it, not by the many that find the verdict in the row. What only a person can
mend, an operator or an admin of the account, is said at WARNING or above, with what that person can do.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from zendesk_oauth.errors import (
    ConfigurationError,
    KeyUnavailableError,
    RequestError,
    SealBrokenError,
    UnintelligibleAnswerError,
)
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import (
    Connection,
    LossReason,
    RefreshAnswer,
    RefreshOutcome,
    RefreshQuestion,
    Renewal,
)
from zendesk_oauth.models.rekey import RekeyAnswer, RekeyOutcome
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import UnusableTokensError
from zendesk_oauth.observability import LEFT_ALIVE, LEFT_ALIVE_METRIC, Journal, code_of, error_fields
from zendesk_oauth.services.disconnect_connection import DisconnectAnswer, DisconnectOutcome
from zendesk_oauth.services.finish_connection import FinishAnswer
from zendesk_oauth.services.replay_rescued import ReplayAnswer, ReplayOutcome

COUNTED: Mapping[RefreshOutcome, str] = {
    RefreshOutcome.REFRESHED: "TokenRefreshed",
    RefreshOutcome.RESCUED: "RenewalRescued",
    RefreshOutcome.CLIENT_REJECTED: "ClientRejected",
}
"""The outcomes that have a count of their own, beside `RefreshEnded` by its outcome."""
KEEP_ALIVE = "KeepAliveHandedOver"
OVERDUE = "KeepAliveOverdue"
"""How many seconds the one that has waited longest is past its keep-alive, at each tick: on good days, minutes."""
TICKED: Mapping[str, str] = {
    KEEP_ALIVE: "KeepAliveTicked",
    "UnfinishedHandedOver": "UnfinishedTicked",
}
"""What a tick is counted as, by what it hands over."""
_LOUDER = frozenset({RefreshOutcome.RESCUED, RefreshOutcome.UNRESOLVED})
_KEYS = frozenset({KeyUnavailableError.code, SealBrokenError.code})
"""The causes that are our own: no data key can be had, or a seal does not open."""
_UNREAD = frozenset({UnintelligibleAnswerError.code, UnusableTokensError.code})
"""The causes that say that Zendesk answered, and not what it issued: a pair may live that is stored nowhere."""
_TO_BE_DONE = "the token may live on: an admin of the Zendesk account can end it in Admin Center"


class Occasion(NamedTuple):
    """One invocation: Lambda's id of it, when it began, and how long it has taken."""

    reference: str
    began_at: datetime
    seconds: float

    def fields(self) -> dict[str, object]:
        """Return what every line says of it."""
        return {"request_id": self.reference, "duration_ms": round(self.seconds * 1000, 1)}


class Tick(NamedTuple):
    """One tick of a schedule: what is counted, how many were handed over, and how long the first of them was due."""

    name: str
    number: int
    longest: timedelta


class RefreshJournal(Journal):
    """The journal of `refresh`, over the same logger and metrics."""

    def refreshed(self, question: RefreshQuestion, answer: RefreshAnswer, occasion: Occasion) -> None:
        """Say how a question ended, and count it."""
        reason = _judged(answer.connection, occasion)
        fields = {
            "outcome": answer.outcome.value,
            "asked": question.asked.value,
            "reason": reason,
            "cause": answer.cause,
            "server_error": answer.server_error,
            "lost_scopes": list(answer.lost_scopes) or None,
            "cut_scopes": answer.cut_scopes or None,
            **_place(question.grant, question.subdomain),
            **_row(answer.connection),
            **occasion.fields(),
        }
        self._say(_level(answer, reason), "refresh ended", fields)
        self._count("RefreshEnded", {"outcome": answer.outcome.value})
        self._count(COUNTED.get(answer.outcome), {})
        self._count_loss(reason)
        self._count_keys(answer.cause)
        if answer.cause in _UNREAD:
            self._count("AnswerUnread", {"cause": answer.cause})
        if answer.kept_refresh_token:
            self._count("RefreshTokenKept", {})
        self._revoked(answer.revocation, question.grant, question.subdomain, occasion)

    def unkept(self, renewal: Renewal) -> None:
        """Say that a fresh pair lies in memory alone, and that the time to keep it is over; it is tried on."""
        fields = {
            "outcome": "unkept",
            **_place(renewal.grant, renewal.subdomain),
            "epoch": renewal.replaces.epoch,
            "generation": renewal.replaces.generation,
        }
        self._say("critical", "neither the table nor the rescue queue takes a fresh pair", fields)

    def replayed(self, renewal: Renewal, answer: ReplayAnswer, occasion: Occasion) -> None:
        """Say what became of a renewal out of the rescue queue."""
        place = _place(renewal.grant, renewal.subdomain)
        reason = _judged(answer.connection, occasion)
        fields = {
            "outcome": answer.outcome.value,
            "reason": reason,
            **place,
            **_row(answer.connection),
            **occasion.fields(),
        }
        is_refused = answer.outcome is ReplayOutcome.REFUSED
        self._say("warning" if is_refused else "info", "rescued renewal replayed", fields)
        self._count("RenewalReplayed", {"outcome": answer.outcome.value})
        self._count_loss(reason)
        self._revoked(answer.revocation, renewal.grant, renewal.subdomain, occasion)

    def replay_failed(self, message_id: str, error: Exception, occasion: Occasion) -> None:
        """Say that a message goes back to its queue; of what it holds nothing is said."""
        outcome = "malformed" if isinstance(error, RequestError) else "failed"
        fields = {"outcome": outcome, "message_id": message_id, **error_fields(error), **occasion.fields()}
        self._say("error", "rescued renewal not replayed", fields)
        self._count("RenewalReplayed", {"outcome": outcome})

    def handed_over(self, tick: Tick, occasion: Occasion) -> None:
        """Say how many connections a tick of a schedule has handed over, and how late the latest of them.

        The tick itself is counted too, also where it found nothing: an alarm listens for its absence.
        """
        overdue = int(tick.longest.total_seconds()) if tick.name == KEEP_ALIVE else None
        fields = {"outcome": tick.name, "asked": tick.number, "overdue_s": overdue}
        self._say("info", "schedule ticked", fields | occasion.fields())
        self._count(TICKED[tick.name], {})
        if tick.number:
            self._count(tick.name, {}, tick.number)
        if tick.name == KEEP_ALIVE:
            self._measure(OVERDUE, tick.longest)

    def hand_over_failed(self) -> None:
        """Count a tick that could not hand over what was due; the error has its own line."""
        self._count("HandOverFailed", {})

    def disconnected(
        self, grant: str, subdomain: Subdomain, answer: DisconnectAnswer, occasion: Occasion
    ) -> None:
        """Say how far a disconnect has come, and count it when it has ended."""
        place = _place(grant, subdomain)
        fields = {"outcome": answer.outcome.value, "cause": answer.cause, **place, **occasion.fields()}
        self._say("warning" if answer.cause in _KEYS else "info", "disconnect looked after", fields)
        self._count_keys(answer.cause)
        if answer.outcome is not DisconnectOutcome.UNDER_WAY:
            self._count("DisconnectEnded", {"outcome": answer.outcome.value})
        self._revoked(answer.revocation, grant, subdomain, occasion)

    def finished(
        self,
        grant: str,
        subdomain: Subdomain,
        replaced: str | None,
        answer: FinishAnswer,
        occasion: Occasion,
    ) -> None:
        """Say whether the disconnect of a row has ended: of a connection, or of the replaced pair that is named."""
        fields = {
            "outcome": "finished" if answer.finished else "postponed",
            "retry_at": answer.retry_at.isoformat() if answer.retry_at else None,
            "replaced": replaced,
            **_place(grant, subdomain),
            **occasion.fields(),
        }
        self._say("info" if answer.finished else "warning", "unfinished connection looked after", fields)
        if not answer.finished:
            self._count("FinishPostponed", {})
        if answer.disconnect is None:
            return
        if replaced is None:
            self.disconnected(grant, subdomain, answer.disconnect, occasion)
        else:
            self._retired(grant, subdomain, replaced, answer.disconnect, occasion)

    def _retired(
        self, grant: str, subdomain: Subdomain, replaced: str, answer: DisconnectAnswer, occasion: Occasion
    ) -> None:
        """Say how a replaced pair has ended, or what keeps it from its end, and count it when it has."""
        fields = {
            "outcome": answer.revocation or answer.outcome.value,
            "replaced": replaced,
            "cause": answer.cause,
            **_place(grant, subdomain),
            **occasion.fields(),
        }
        self._say("warning" if answer.cause in _KEYS else "info", "replaced pair looked after", fields)
        self._count_keys(answer.cause)
        if answer.revocation is not None:
            self._count("SupersededRetired", {"outcome": answer.revocation})
        self._revoked(answer.revocation, grant, subdomain, occasion)

    def rekeyed(self, campaign: str, answers: Sequence[RekeyAnswer], occasion: Occasion) -> None:
        """Say how many rows were sealed anew, or were before, and of each that an error kept from it, which."""
        rows = Counter(answer.outcome.value for answer in answers)
        fields = {"outcome": "rekeyed", "campaign": campaign, "rows": dict(rows), **occasion.fields()}
        self._say("info", "rows sealed anew", fields)
        if resealed := rows[RekeyOutcome.RESEALED]:
            self._count("ConnectionsResealed", {}, resealed)
        for answer in answers:
            if answer.cause is not None:
                place = _place(answer.grant, answer.subdomain) | {"replaced": answer.replaced}
                row = {"outcome": answer.outcome.value, **place}
                self._say("warning", "row not sealed anew", row | {"cause": answer.cause} | occasion.fields())
                self._count_keys(answer.cause)

    def inquired(
        self, grant: str | None, subdomain: Subdomain, told: Mapping[str, object], occasion: Occasion
    ) -> None:
        """Say what an operator has asked, and what came of it; nothing is counted: a person reads the answer."""
        self._say("info", "inquiry answered", {**_place(grant, subdomain), **told, **occasion.fields()})

    def failed(self, error: Exception, occasion: Occasion) -> None:
        """Say that an event could not be answered, and why."""
        fields = {"outcome": "failed", **error_fields(error), **occasion.fields()}
        if isinstance(error, ConfigurationError):
            self._say("critical", "refresh failed", fields)
        else:
            self._say("warning" if isinstance(error, RequestError) else "error", "refresh failed", fields)
        name = "RequestRefused" if isinstance(error, RequestError) else "RequestFailed"
        self._count(name, {"reason": code_of(error)})

    def _count_loss(self, reason: LossReason | None) -> None:
        if reason is None:
            return
        self._count("ReconnectRequired", {"reason": reason.value})
        if reason is LossReason.ANSWER_LOST:
            self._count("ConnectionLost", {})

    def _count_keys(self, cause: str | None) -> None:
        if cause in _KEYS:
            self._count("KeysUnavailable", {})

    def _revoked(self, revocation: str | None, grant: str, subdomain: Subdomain, occasion: Occasion) -> None:
        """Tell the operator where a token may live on; every other end is in the line of its occasion."""
        if revocation not in LEFT_ALIVE:
            return
        fields = {"outcome": str(revocation), **_place(grant, subdomain), **occasion.fields()}
        self._say("warning", "revocation ended", fields | {"to_be_done": _TO_BE_DONE})
        self._count(LEFT_ALIVE_METRIC, {})

    def _say(self, level: str, message: str, fields: Mapping[str, object]) -> None:
        """Write a line, under the name of the method that has something to say."""
        known = {name: value for name, value in fields.items() if value is not None}
        getattr(self._logger, level)(message, extra=known, stacklevel=3)


def _level(answer: RefreshAnswer, reason: LossReason | None) -> str:
    """Return how loud a refresh's end is said; `reason` is why the connection was lost by it, if it was."""
    if answer.outcome is RefreshOutcome.CLIENT_REJECTED:
        return "error"
    is_loud = (
        reason is not None
        or answer.outcome in _LOUDER
        or answer.cause in _KEYS | _UNREAD
        or answer.lost_scopes
        or answer.cut_scopes
    )
    return "warning" if is_loud else "info"


def _judged(connection: Connection | None, occasion: Occasion) -> LossReason | None:
    """Return why the connection was lost, if it was this call that found it lost."""
    if connection is None or connection.status is not ConnectionStatus.RECONNECT_REQUIRED:
        return None
    since, reason = connection.reconnect_since, connection.reconnect_reason
    if since is None or since < occasion.began_at or reason is None:
        return None
    return LossReason(reason)


def _place(grant: str | None, subdomain: Subdomain) -> dict[str, object]:
    return {"grant": grant, "subdomain": subdomain}


def _row(connection: Connection | None) -> dict[str, object]:
    if connection is None:
        return {}
    version = connection.version
    return {
        "correlation_id": connection.install_id,
        "epoch": version.epoch,
        "generation": version.generation,
    }
