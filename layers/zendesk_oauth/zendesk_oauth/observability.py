"""What a function says of its work: one JSON line a request, and counts in CloudWatch's embedded metric format.

`request_id` names the request, as an answer of ours shows it to whoever asked. `correlation_id` is the install's id and
leads further: it stands in both tables, in every event, and in the lines of whoever heard of it.

No line and no count ever holds a query string, nor the text of an exception that was not raised on purpose: of such a
one only its kind and the places it came through are written, since its text may quote anything.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from traceback import walk_tb
from typing import TYPE_CHECKING

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from zendesk_oauth.errors import (
    AnswerLostError,
    CallbackError,
    ConfigurationError,
    RequestError,
    TokenUnavailableError,
    ZendeskOAuthError,
)
from zendesk_oauth.models.install import Install
from zendesk_oauth.web.edge import Answer

if TYPE_CHECKING:
    from zendesk_oauth.services.revoke_leftovers import RevocationEnded

METRICS: Mapping[str, str] = {
    "candidate": "InstallCandidateKept",
    "confirmed": "InstallConfirmed",
    "connected": "InstallConnected",
    "denied": "InstallDenied",
    "denied_without_state": "DenialWithoutStateSeen",
    "disconnecting": "DisconnectAsked",
    "failed": "InstallFailed",
    "form_shown": "FormShown",
    "offered": "InvitationOffered",
    "started": "InstallStarted",
    "subdomain_refused": "SubdomainRefused",
    "token_given": "TokenGiven",
}
"""What is counted for each outcome. Those of an error are beside; anything else is only logged, and an install that
nobody finished is counted by whoever tells its end, not by whoever looks at its page."""
LEFT_ALIVE = frozenset({"refused", "given_up", "unreadable"})
"""The ends of a revocation after which the token may live on, and only the account's admin can end it."""
LEFT_ALIVE_METRIC = "TokenLeftAlive"
_EVERYDAY = (CallbackError, RequestError, TokenUnavailableError)
"""Errors that somebody outside has to do something about, and nobody who reads the log."""
_FRAMES = 20
_CAUSES = 5


class Journal:
    """Powertools' logger and metrics, built once a container; both read their own settings."""

    def __init__(self) -> None:
        self._logger = Logger(utc=True)
        self._metrics = Metrics()

    def record(self, answer: Answer, reference: str, seconds: float) -> None:
        """Write one line about a request, and count it unless the same was answered before."""
        fields = {
            "outcome": answer.outcome,
            "status": int(answer.response.status),
            "request_id": reference,
            "duration_ms": round(seconds * 1000, 1),
            **answer.subject,
            **_install_fields(answer.install),
            **error_fields(answer.error),
        }
        if answer.repeated:
            fields["repeated"] = True
        self._level(answer)("request answered", extra=fields)
        if not answer.repeated:
            self._count(*_metric(answer))
            if answer.outcome == "failed" and _reason(answer.install) == AnswerLostError.code:
                self._count("ExchangeAnswerLost", {})

    def misconfigured(self, error: ConfigurationError) -> None:
        """Say, once at start-up, everything that is wrong with the deployment."""
        self._logger.critical("not set up correctly", extra={"problems": list(error.problems)})

    def revoked(self, ended: "RevocationEnded") -> None:
        """Write one line about a token that had to go, and count it by how that ended."""
        fields = {"outcome": ended.outcome, "install": ended.install_id, "subdomain": ended.subdomain}
        left_alive = ended.outcome in LEFT_ALIVE
        write = self._logger.warning if left_alive else self._logger.info
        write("revocation ended", extra=fields)
        self._count("RevocationEnded", {"outcome": str(ended.outcome)})
        if left_alive:
            self._count(LEFT_ALIVE_METRIC, {})

    def _level(self, answer: Answer) -> Callable[..., None]:
        """Return the logger's method: a refusal is everyday business, everything else in the tree wants a look."""
        if isinstance(answer.error, ConfigurationError):
            return self._logger.critical
        if answer.error is None or isinstance(answer.error, _EVERYDAY):
            return self._logger.info
        return self._logger.error

    def _count(self, name: str | None, dimensions: Mapping[str, str], number: int = 1) -> None:
        if name is None:
            return
        for dimension, value in dimensions.items():
            self._metrics.add_dimension(dimension, value)
        self._metrics.add_metric(name, MetricUnit.Count, number)
        self._metrics.flush_metrics()

    def _measure(self, name: str, duration: timedelta) -> None:
        self._metrics.add_metric(name, MetricUnit.Seconds, duration.total_seconds())
        self._metrics.flush_metrics()


def _metric(answer: Answer) -> tuple[str | None, Mapping[str, str]]:
    """Return the metric's name and its dimensions, whose values are codes of ours and so few."""
    error = answer.error
    if answer.outcome in METRICS:
        failed = answer.install is not None and answer.outcome == "failed"
        return METRICS[answer.outcome], {"reason": _reason(answer.install)} if failed else {}
    if isinstance(error, CallbackError):
        return "CallbackRejected", {"reason": error.code}
    if isinstance(error, RequestError):
        return "RequestRefused", {"reason": error.code}
    if isinstance(error, TokenUnavailableError):
        return "TokenUnavailable", {"reason": error.code}
    if error is not None:
        return "RequestFailed", {"reason": code_of(error)}
    return None, {}


def _install_fields(install: Install | None) -> dict[str, object]:
    if install is None:
        return {}
    fields = {
        "correlation_id": install.install_id,
        "install": install.install_id,
        "grant": install.grant,
        "subdomain": install.subdomain,
        "reason": install.reason,
        "missing_scopes": list(install.missing_scopes),
    }
    return {name: value for name, value in fields.items() if value}


def error_fields(error: Exception | None) -> dict[str, object]:
    """Return what may be said of an error: all of one of ours, and of another only its kinds and its way."""
    if error is None:
        return {}
    fields: dict[str, object] = {"error": code_of(error), "kinds": list(_kinds(error))}
    if isinstance(error, ZendeskOAuthError):
        # By their contract these hold no secret and quote nothing of a request.
        return fields | {"detail": str(error)}
    frames = [f"{frame.f_code.co_filename}:{line}" for frame, line in walk_tb(error.__traceback__)]
    return fields | {"came_through": frames[-_FRAMES:]}


def _kinds(error: BaseException) -> Iterator[str]:
    """Yield the types of an error and of what caused it: vendors' texts may quote secrets, their types cannot."""
    cause: BaseException | None = error
    for _ in range(_CAUSES):
        if cause is None:
            return
        yield type(cause).__name__
        cause = cause.__cause__ or cause.__context__


def code_of(error: Exception) -> str:
    """Return the code by which an error is counted; every unexpected one has the same."""
    return error.code if isinstance(error, ZendeskOAuthError) else ZendeskOAuthError.code


def _reason(install: Install | None) -> str:
    return (install and install.reason) or ZendeskOAuthError.code
