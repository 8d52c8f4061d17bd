"""The handler of `refresh`: reads what is asked, asks the use case, writes a line, answers.

Whatever goes wrong is told in the log and then raised, so that the caller, the schedule or the queue knows of it. An
error that nobody foresaw is raised without its text, which may quote anything.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from zendesk_oauth.errors import KeyUnavailableError, ProviderError, StoreUnavailableError, ZendeskOAuthError
from zendesk_oauth.models.refresh import RefreshQuestion, Renewal
from zendesk_oauth.ports import Clock
from zendesk_oauth.refresh_journal import Occasion, RefreshJournal, Tick
from zendesk_oauth.services.finish_connection import FinishConnection
from zendesk_oauth.services.hand_over_due import HandOverDue
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.replay_rescued import ReplayRescued
from zendesk_oauth.web.refresh_events import (
    Finish,
    Inquiry,
    RefreshEvent,
    Rescued,
    RescueMessage,
    Schedule,
    finish_payload,
    parse_refresh_event,
    refresh_payload,
)
from zendesk_oauth.web.rekey_events import Rekey, rekey_payload

if TYPE_CHECKING:
    from zendesk_oauth.bootstrap.inquiries import Inquiries
    from zendesk_oauth.services.rekey_connection import RekeyConnection

RESERVED_SECONDS = 2.0
"""What is kept of the function's time for the last line; `services.refresh_ports` says what the rest has to hold."""
SOON_SECONDS = 20
"""When a rescued renewal that could not be replayed comes again: within the replay round, after which the refresh token
that it replaces is posted again, and a server with reuse detection revokes it."""
SOON_RECEIVES = 180
"""How many times it comes so soon, for an hour. After them it comes at the queue's own time."""
HANDED_OVER = {
    Schedule.KEEP_ALIVE: "KeepAliveHandedOver",
    Schedule.UNFINISHED: "UnfinishedHandedOver",
}
_SOON_OVER = (StoreUnavailableError, KeyUnavailableError, ProviderError)
"""What may be mended the next minute, and is worth to be tried then."""

type Payload = dict[str, object]


class LambdaContext(Protocol):
    """What Lambda tells a function about its own call."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until the function is stopped."""


class UseCases(NamedTuple):
    """All that `refresh` can do."""

    refresh: RefreshConnection
    finish: FinishConnection
    replay: ReplayRescued
    hand_over: Callable[[Schedule], HandOverDue]
    read_renewal: Callable[[str], Renewal]
    """Raises MalformedRequestError."""
    show_again: Callable[[str, int], None]
    """Lets a message of that receipt come again after so many seconds. Raises StoreUnavailableError."""
    rekey: "Callable[[], RekeyConnection]"
    """Builds what seals a row anew."""
    inquire: "Callable[[], Inquiries]"
    """Builds what answers an operator."""


class Invocation(NamedTuple):
    """One call of the function, and what is left of its time."""

    reference: str
    began: float
    began_at: datetime
    until: float

    def occasion(self, clock: Clock) -> Occasion:
        """Return it as the journal tells it, as of now."""
        return Occasion(self.reference, self.began_at, clock.monotonic() - self.began)


class RefreshOnEvent:
    """The handler."""

    def __init__(
        self, build_use_cases: Callable[[], UseCases], journal: RefreshJournal, clock: Clock
    ) -> None:
        self.build_use_cases = build_use_cases
        self.journal = journal
        self.clock = clock

    def __call__(self, event: object, context: LambdaContext) -> Payload:
        """Return the answer. Raises an error of ours: a RequestError, a ConfigurationError, StoreUnavailableError."""
        began = self.clock.monotonic()
        until = began + context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS
        invocation = Invocation(context.aws_request_id, began, self.clock.now(), until)
        try:
            return self._answer(parse_refresh_event(event), invocation)
        except ZendeskOAuthError as error:
            self.journal.failed(error, invocation.occasion(self.clock))
            raise
        except Exception as error:  # noqa: BLE001 - the border: the runtime would print its text
            self.journal.failed(error, invocation.occasion(self.clock))
        raise ZendeskOAuthError("an unexpected error; the log says where")

    def _answer(self, event: RefreshEvent, invocation: Invocation) -> Payload:
        use_cases = self.build_use_cases()
        match event:
            case RefreshQuestion():
                return self._refresh(use_cases, event, invocation)
            case Finish():
                return self._finish(use_cases, event, invocation)
            case Schedule():
                return self._hand_over(use_cases, event, invocation)
            case Rekey():
                return self._rekey(use_cases, event, invocation)
            case Inquiry():
                return self._inquire(use_cases, event, invocation)
        return self._replay(use_cases, event, invocation)

    def _refresh(self, use_cases: UseCases, question: RefreshQuestion, invocation: Invocation) -> Payload:
        answer = use_cases.refresh(question, invocation.until)
        self.journal.refreshed(question, answer, invocation.occasion(self.clock))
        return refresh_payload(answer)

    def _finish(self, use_cases: UseCases, named: Finish, invocation: Invocation) -> Payload:
        grant, subdomain, replaced = named
        answer = use_cases.finish(grant, subdomain, invocation.until, replaced)
        self.journal.finished(*named, answer, invocation.occasion(self.clock))
        return finish_payload(answer)

    def _hand_over(self, use_cases: UseCases, schedule: Schedule, invocation: Invocation) -> Payload:
        """Count what was handed over also where the rest could not be."""
        asked, longest = 0, timedelta()
        try:
            for connection in use_cases.hand_over(schedule)(invocation.until):
                asked += 1
                longest = max(longest, invocation.began_at - connection.due_at)
        except ZendeskOAuthError:
            self.journal.hand_over_failed()
            raise
        finally:
            tick = Tick(HANDED_OVER[schedule], asked, longest)
            self.journal.handed_over(tick, invocation.occasion(self.clock))
        return {"asked": asked}

    def _rekey(self, use_cases: UseCases, asked: Rekey, invocation: Invocation) -> Payload:
        rekey = use_cases.rekey()
        answers = [rekey(*row, asked.campaign, invocation.until) for row in asked.rows]
        self.journal.rekeyed(asked.campaign, answers, invocation.occasion(self.clock))
        return rekey_payload(answers)

    def _inquire(self, use_cases: UseCases, inquiry: Inquiry, invocation: Invocation) -> Payload:
        payload, told = use_cases.inquire()(inquiry)
        self.journal.inquired(*inquiry, told, invocation.occasion(self.clock))
        return payload

    def _replay(self, use_cases: UseCases, rescued: Rescued, invocation: Invocation) -> Payload:
        """Return the partial batch response: which messages are to come again."""
        failed = [
            message.message_id
            for message in rescued.messages
            if not self._is_replayed(use_cases, invocation, message)
        ]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def _is_replayed(self, use_cases: UseCases, invocation: Invocation, message: RescueMessage) -> bool:
        """Replay one message; one that fails goes back to the queue alone, and after many times to its dead letters."""
        try:
            renewal = use_cases.read_renewal(message.unverified_body)
            answer = use_cases.replay(renewal, invocation.until)
        except Exception as error:  # noqa: BLE001 - the others of the batch are not to wait for it
            self.journal.replay_failed(message.message_id, error, invocation.occasion(self.clock))
            if isinstance(error, _SOON_OVER) and message.receipt and message.receives <= SOON_RECEIVES:
                with suppress(StoreUnavailableError):  # it comes again all the same, only later
                    use_cases.show_again(message.receipt, SOON_SECONDS)
            return False
        self.journal.replayed(renewal, answer, invocation.occasion(self.clock))
        return True
