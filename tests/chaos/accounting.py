"""Every pair that Zendesk has issued is accounted for: current, spent, revoked, expired, or reported as lost.

A loss counts as explained only where the run itself has injected its cause, on the very POST that issued the pair or
to the very process that made it, and where the product has reported it. Everything else is a finding, with its story.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from local.zendesk.tokens import TokenPair
from tests.chaos.evidence import Evidence, Version
from tests.chaos.fleet import Done
from tests.chaos.ledger import Ledger, Post
from tests.chaos.plan import LOSES_RESPONSE
from tests.chaos.run_time import RunTime
from tests.chaos.zendesk import ChaosZendesk
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.install import InstallStatus
from zendesk_oauth.models.refresh import Connection, LossReason

EXCHANGE_LOST = frozenset({"answer_lost", "exchange_lost"})
"""Reasons of an install's row that say that a pair may live on which nobody here knows."""
_STORY_LINES = 120
_A_MOMENT = 2.0
"""Seconds of the run by which a row's time may be behind its write."""


class Finding(NamedTuple):
    """Something that nothing explains."""

    account: str
    what: str


@dataclass(slots=True)
class Accounts:
    """The end of every pair, and what cannot be explained."""

    ends: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    """What is remarkable and allowed."""

    @property
    def pairs(self) -> int:
        """How many there were."""
        return self.ends.total()


class Accountant:
    """Holds what can be seen from outside against the ledger."""

    def __init__(
        self, zendesk: ChaosZendesk, evidence: Evidence, done: dict[int, Done], time: RunTime, skew: float
    ) -> None:
        self.pairs = zendesk.tokens.all()
        self.ledger = ledger = zendesk.ledger
        self.evidence = evidence
        self.done = done
        self.skew = skew
        self.now = time()
        self.began_at = self.now - time.monotonic()
        self.accounts = Accounts()
        self._issuing = {post.issued.id: post for post in ledger.posts if post.issued}
        self._spending = {post.spent.id: post for post in ledger.posts if post.spent and post.issued}
        self._refused = {
            post.spent.id: post.at for post in reversed(ledger.posts) if post.spent and post.is_refused
        }
        self._current = {
            pair.id for account, pair in evidence.pairs.items() if pair and self._is_active(account)
        }
        self._given_up = self._reports()

    def judge(self) -> Accounts:
        """Return the end of every pair."""
        for pair in self.pairs:
            self.accounts.ends[self._end_of(pair)] += 1
        for account in self.evidence.rows:
            self._judge_row(account)
        for account, versions in self.evidence.versions.items():
            self._judge_losses(account, versions)
        return self.accounts

    # -- pairs --

    def _end_of(self, pair: TokenPair) -> str:
        """Return how a pair has ended; one that is lost without a reason becomes a finding."""
        if pair.id in self._spending:
            return "spent"
        if pair.id in self.ledger.revoked:
            return "revoked"
        if not pair.is_dead and self._ends_at(pair) <= self.now:
            return "expired"
        if pair.id in self._current and not pair.is_dead:
            return "current"
        return self._end_of_lost(pair)

    def _ends_at(self, pair: TokenPair) -> float:
        """Return when a pair ends by itself: with its refresh token, unless that was told to nobody."""
        post = self._issuing.get(pair.id)
        is_alone = post and post.grant_type == "authorization_code" and post.has_fault("no_refresh_token")
        return pair.access_ends_at if is_alone else pair.refresh_ends_at

    def _end_of_lost(self, pair: TokenPair) -> str:
        """Return "lost" for a pair that lives unknown, or that died with its family, where both were to be expected."""
        account, state = pair.account.subdomain, "died with its family" if pair.is_dead else "lives on"
        post = self._issuing.get(pair.id)
        if pair.id in self._kept(account):
            self._find(
                account, f"pair {pair.id} {state}, and its connection is not active although it has it"
            )
            return "unexplained"
        cause = self._cause(post) or self._hindrance(pair, post) if post else None
        if cause is None or post is None:
            self._find(
                account, f"pair {pair.id} {state}; nothing was injected that could have lost it ({post})"
            )
            return "unexplained"
        if pair.id in self.evidence.durable:
            self._find(account, f"pair {pair.id} {state}, and was stored once: {cause} is no cause ({post})")
            return "unexplained"
        if not self._is_reported(post):
            self._find(account, f"pair {pair.id} {state}, lost by {cause}, and nothing reports it ({post})")
            return "unexplained"
        return "lost and reported"

    def _cause(self, post: Post) -> str | None:
        """Return what was injected on this POST, or befell its process before its job had an end."""
        if post.fault and post.fault.kind in LOSES_RESPONSE:
            return post.fault.kind
        done = self.done.get(post.job)
        if done is None:
            return None
        if done.answer is None and done.killed_at is not None:
            return "a kill"
        return "a time limit" if post.job in self.evidence.late_jobs else None

    def _hindrance(self, pair: TokenPair, post: Post) -> str | None:
        """Return what kept a pair from being revoked in time, of an install that was never a connection.

        Its access token alone can be revoked: by a schedule that was struck, came late, or met faults on its way.
        """
        if post.grant_type != "authorization_code" or pair.id in self.evidence.durable:
            return None
        life = (pair.issued_at - self.began_at, pair.access_ends_at - self.began_at)
        runs = [
            one for one in self.done.values() if one.job.kind == "revoke" and life[0] < one.began_at < life[1]
        ]
        faults = sum(call.pair is pair and call.fault is not None for call in self.ledger.calls)
        strikes = sum(bool(one.struck) for one in runs)
        if faults or strikes:
            return f"{faults} faults and {strikes} strikes on its revocation"
        if self.skew * 2 >= life[1] - life[0]:
            return "clocks that are wrong by more than its life"
        return None if len(runs) > 1 else "a schedule that came late"

    def _is_reported(self, post: Post) -> bool:
        if post.grant_type == "authorization_code":
            return self._is_exchange_reported(post)
        if post.spent and self._is_called_lost(post.account, post.spent):
            return True
        left = self._given_up[post.account]
        self._given_up[post.account] = max(0, left - 1)
        return left > 0

    def _is_called_lost(self, account: str, spent: TokenPair) -> bool:
        """Tell whether the row that held the spent pair has said that its successor's answer was lost."""
        return any(
            version.pair is not None
            and version.pair.id == spent.id
            and version.connection.status is ConnectionStatus.RECONNECT_REQUIRED
            and version.connection.reconnect_reason == LossReason.ANSWER_LOST
            for version in self.evidence.versions.get(account, ())
        )

    def _is_exchange_reported(self, post: Post) -> bool:
        """Tell whether the install says that a pair may live on, or was interrupted: its row's end tells of that."""
        install = self.evidence.install_of_job.get(post.job, "")
        row = self.evidence.installs.get(install, {})
        status, reason = row.get("status", {}).get("S"), row.get("reason", {}).get("S", "")
        is_told = status == InstallStatus.EXCHANGING or reason in EXCHANGE_LOST
        return is_told or install in self.evidence.given_up_installs

    def _reports(self) -> Counter[str]:
        """Count how many tokens each account was told to have left alive; row and log say the same twice."""
        rows = Counter(report.account for report in self.evidence.row_reports)
        return rows | Counter(report.account for report in self.evidence.log_reports)

    # -- rows --

    def _is_active(self, account: str) -> bool:
        return self.evidence.rows[account].is_active

    def _kept(self, account: str) -> set[int]:
        pair = self.evidence.pairs.get(account)
        return {pair.id} if pair else set()

    def _judge_row(self, account: str) -> None:
        """Hold an active row to its pair: of one response, and alive."""
        if not self._is_active(account):
            return
        pair = self.evidence.pairs[account]
        if pair is None:
            self._find(account, "the row is active, and what it holds is no pair that was ever issued")
        elif pair.is_dead:
            self._find(account, f"the row is active, and its pair {pair.id} is dead at Zendesk")

    def _judge_losses(self, account: str, versions: list[Version]) -> None:
        """I11: nothing is given up while its refresh token was neither spent nor refused by the token endpoint."""
        for version in versions:
            connection, pair = version.connection, version.pair
            if connection.status is not ConnectionStatus.RECONNECT_REQUIRED or pair is None:
                continue
            until = self._judged_at(connection)
            what = f"{connection.version.epoch}.{connection.version.generation} was given up"
            reason = connection.reconnect_reason
            spending = self._spending.get(pair.id)
            if spending and spending.at < until:
                self._judge_loss(account, f"{what} as {reason}", spending)
            elif self._refused.get(pair.id, until) >= until and pair.refresh_ends_at > self.now:
                self._find(
                    account, f"{what} as {reason}, and its pair {pair.id} was neither spent nor refused"
                )
            else:
                self.accounts.notes["given up, refused"] += 1

    def _judged_at(self, connection: Connection) -> float:
        """Return the latest second of the run at which a row can have been judged, its judge's clock being wrong."""
        since = connection.reconnect_since
        assert since is not None
        return since.timestamp() - self.began_at + self.skew + _A_MOMENT

    def _judge_loss(self, account: str, what: str, post: Post) -> None:
        """Look for the cause of a lost response; where that turned up later, the verdict was taken back."""
        issued = post.issued
        assert issued is not None
        done = self.done.get(post.job)
        if post.has_fault("failed"):
            self.accounts.notes["given up, its new pair came with a failure and is to be revoked"] += 1
        elif issued.id in self.evidence.durable:
            self.accounts.notes["given up, and taken back by a late answer"] += 1
        elif self._cause(post) is None and not (done and done.struck):
            self._find(
                account, f"{what}; nothing was injected that could have lost pair {issued.id} ({post})"
            )
        else:
            self.accounts.notes["given up, its answer lost"] += 1

    def _find(self, account: str, what: str) -> None:
        self.accounts.findings.append(Finding(account, what))


def story(finding: Finding, ledger: Ledger, evidence: Evidence, done: dict[int, Done]) -> Iterator[str]:
    """Yield what has happened at an account, in order of time: requests, jobs, strikes, and what was logged."""
    account = finding.account
    busy = {call.job for call in ledger.calls} | {post.job for post in ledger.posts}
    dull = {number for number, one in done.items() if number not in busy and _is_dull(one)}
    jobs = {number for number, one in done.items() if one.job.account == account} - dull
    happened = [(post.at, f"zendesk: {post}") for post in ledger.posts if post.account == account]
    happened += [(call.at, f"zendesk: {call}") for call in ledger.calls if call.account == account]
    happened += [(done[number].began_at, f"fleet: {done[number]}") for number in jobs if done[number].struck]
    happened += [
        (line.at, line.text)
        for line in evidence.lines
        if line.job in jobs or (line.account == account and line.job not in dull)
    ]
    happened.sort()
    yield f"UNEXPLAINED {account}: {finding.what}"
    yield from (f"  {at:10.1f} s  {text}" for at, text in happened[-_STORY_LINES:])
    for version in evidence.versions.get(account, ()):
        pair = f"pair {version.pair.id}" if version.pair else "no pair"
        one = version.connection
        yield f"  row: {one.version.epoch}.{one.version.generation} {one.status} {one.reconnect_reason or ''} {pair}"


def _is_dull(done: Done) -> bool:
    """Tell whether a job has only found that nothing was to be done."""
    outcome = (done.answer or {}).get("outcome")
    return not done.struck and outcome in {"current", "not_connected", "in_progress", "reconnect_required"}
