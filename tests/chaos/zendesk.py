"""The fake Zendesk of a run: it misbehaves by the plan, kills or freezes who asks, and keeps the ledger."""

import gzip
import http
import math
from collections.abc import Callable, Mapping
from typing import Protocol

from flask import Response, request

from local.zendesk import misbehaviours, wire
from local.zendesk.settings import Settings
from local.zendesk.standin import StandIn
from local.zendesk.tokens import TokenPair
from tests.chaos.container import JOB_HEADER
from tests.chaos.ledger import ApiCall, Ledger, Post
from tests.chaos.plan import Fault, Plan, has_long_tokens
from tests.chaos.run_time import RunTime

_WAITS = frozenset({"late_answer", "late_work"})
_SHORT_LIFE, _LONG_LIFE = 300, 3000
"""Of access tokens, in seconds: the shortest that Zendesk gives, or long enough to be asked about when one is due."""

type Work = Callable[[], Response]


class Striker(Protocol):
    """Stops the process that works on a job."""

    def kill_job(self, number: int, why: str) -> None:
        """End it without a word."""

    def freeze_job(self, number: int, seconds: float, why: str) -> None:
        """Stop it for so many seconds of the run."""


class ChaosZendesk(StandIn):
    """A stand-in whose misbehaviour is planned; `striker` is set before it is asked for anything."""

    striker: Striker

    def __init__(self, settings: Settings, time: RunTime, plan: Plan) -> None:
        self.time = time
        self.plan = plan
        self.ledger = Ledger()
        self._refreshable: dict[str, TokenPair] = {}
        self.issued_at: dict[str, float] = {}
        """When the newest pair of an account was issued, in seconds of the run."""
        self._may_lie: set[str] = set()
        """Accounts whose last POST came to nothing: the answer of the API decides now what becomes of them."""
        self._has_lied: set[str] = set()
        """Accounts whose last call of the API was answered by a lie: the next one is not."""
        super().__init__(settings, time)

    def answer(self, endpoint: str, subdomain: str, fields: Mapping[str, str], work: Work) -> Response:
        """Answer by the plan."""
        job = int(request.headers.get(JOB_HEADER, "0"))
        if endpoint == "token":
            return self._answer_token(subdomain, fields, work, job)
        pair = self.tokens.find_by_access(request.headers.get("Authorization", "").partition(" ")[2])
        path = request.path.rpartition("/api/v2/")[2]
        call = ApiCall(self.time.monotonic(), subdomain, f"{request.method} {path}", job, pair)
        fault = call.fault = self._api_fault(subdomain)
        self.ledger.call(call)

        def noted_work() -> Response:
            response = work()
            call.status = response.status_code
            return response

        return self._misbehave(fault, fields, noted_work, job)

    def revoke_token(self, token_id: int) -> bool:
        """Delete a token, and note when."""
        is_revoked = super().revoke_token(token_id)
        if is_revoked:
            self.ledger.revoked[token_id] = self.time.monotonic()
        return is_revoked

    def _answer_token(self, subdomain: str, fields: Mapping[str, str], work: Work, job: int) -> Response:
        grant_type = fields.get("grant_type", "")
        is_refresh = grant_type == "refresh_token"
        if isinstance(fields, dict) and "expires_in" in fields:
            fields["expires_in"] = str(self.access_life(subdomain))
        post = Post(self.time.monotonic(), subdomain, grant_type, job)
        if is_refresh:
            post.spent = self._pair_of(subdomain, fields.get("refresh_token", ""))
        fault = post.fault = self._fault("refresh" if is_refresh else "exchange", subdomain)
        self.ledger.post(post)

        def noted_work() -> Response:
            response = work()
            body = response.get_json(silent=True) or {}
            if http.HTTPStatus(response.status_code).is_success:
                post.issued = self.tokens.find_by_access(body["access_token"])
                if post.issued:
                    self.issued_at[subdomain] = self.time.monotonic()
                    self._refreshable[post.issued.refresh_token] = post.issued
            post.is_refused = body.get("error") == "invalid_grant"
            return response

        response = self._misbehave(fault, fields, noted_work, job)
        if is_refresh and post.issued is None and not post.is_refused:
            self._may_lie.add(subdomain)
        return response

    @staticmethod
    def access_life(subdomain: str) -> int:
        """Return how long the account's access tokens live, in seconds."""
        return _LONG_LIFE if has_long_tokens(subdomain) else _SHORT_LIFE

    def pair_of(self, access_token: str, refresh_token: str) -> TokenPair | None:
        """Return the pair that both tokens are of; where Zendesk never issued the access token, the refresh token's.

        Such a pair is kept for its refresh token alone: its answer had no access token that can be used.
        """
        pair = self.tokens.find_by_access(access_token)
        if pair is None:
            return self._refreshable.get(refresh_token)
        return pair if pair.refresh_token == refresh_token else None

    def due_at(self, subdomain: str) -> float:
        """Return when the account's newest pair is due for refresh, in seconds of the run; infinity if it has none."""
        return self.issued_at.get(subdomain, math.inf) + self.access_life(subdomain) * 0.8

    def _pair_of(self, subdomain: str, refresh_token: str) -> TokenPair | None:
        """Return the pair of a refresh token; where an old one was kept, it is the newest pair's."""
        living = self.tokens.find_refreshable(refresh_token, self.accounts.get(subdomain))
        if living is not None:
            self._refreshable[refresh_token] = living
        return self._refreshable.get(refresh_token)

    def _fault(self, what: str, subdomain: str) -> Fault | None:
        if not self.time.has_faults:
            return None
        number = self.ledger.next_number(subdomain, what)
        return self.plan.zendesk(what, subdomain, number, self.time.monotonic())

    def _api_fault(self, subdomain: str) -> Fault | None:
        """Return how the API misbehaves; it lies once, and never twice in a row."""
        fault = self._fault("api", subdomain)
        if subdomain in self._may_lie and self.time.has_faults:
            self._may_lie.discard(subdomain)
            fault = self.plan.lie(subdomain, self.ledger.next_number(subdomain, "lie")) or fault
        if fault is None or not fault.is_lie:
            self._has_lied.discard(subdomain)
            return fault
        if subdomain in self._has_lied:
            self._has_lied.discard(subdomain)
            return None
        self._has_lied.add(subdomain)
        return fault

    def _misbehave(self, fault: Fault | None, fields: Mapping[str, str], work: Work, job: int) -> Response:
        if fault is None:
            return work()
        kind, options = fault.kind, dict(fault.options)
        if kind == "kill_before":
            self.striker.kill_job(job, "before Zendesk works")
            return wire.lost()
        if kind == "kill_after":
            work()
            self.striker.kill_job(job, "after Zendesk has worked")
            return wire.lost()
        if kind in {"freeze_before", "freeze_after"}:
            return self._freeze(kind, float(str(options["seconds"])), work, job)
        if kind in {"packed", "failed"}:
            return _packed(work()) if kind == "packed" else _failed(work(), int(str(options["status"])))
        if kind == "too_late":
            kind = "late_answer"
        if kind in _WAITS:
            options["seconds"] = float(str(options["seconds"])) / self.time.speed
        call = misbehaviours.Call(work, fields, self.clock, self.pause, self.tokens, self.elsewhere)
        return misbehaviours.KINDS[kind](call, **options)

    def _freeze(self, kind: str, seconds: float, work: Work, job: int) -> Response:
        if kind == "freeze_before":
            self.striker.freeze_job(job, seconds, "before Zendesk works")
            return work()
        response = work()
        self.striker.freeze_job(job, seconds, "after Zendesk has worked")
        return response


def _packed(good: Response) -> Response:
    """Pack a good answer although nobody asked for it."""
    good.set_data(gzip.compress(good.get_data()))
    good.headers["Content-Encoding"] = "gzip"
    return good


def _failed(good: Response, status: int) -> Response:
    """Call a good answer, tokens included, a failure."""
    good.status_code = status
    return good
