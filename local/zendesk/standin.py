"""The stand-in itself: everything that it knows, and what tests and the control routes do with it.

The rule: whatever can be done over `/_control` can be done in this process too, by a method here or of a part;
starting over and the raw fields of requests are for this process alone.
"""

import time
from collections.abc import Callable, Mapping

from flask import Response

from local.zendesk import misbehaviours
from local.zendesk.accounts import Accounts
from local.zendesk.authorization import ZendeskServer
from local.zendesk.clock import Pause, ShiftableClock, iso
from local.zendesk.faults import Fault, Faults
from local.zendesk.limits import Limits
from local.zendesk.seen import Seen
from local.zendesk.settings import Client, Settings, Switches
from local.zendesk.tokens import TokenPair, Tokens
from local.zendesk.webhooks import TICKET_CREATED, Webhook, Webhooks


class StandIn:
    """A Zendesk of our own; `address` is `http://127.0.0.1:PORT` once it runs."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.address = ""
        self.pause = Pause()
        self.start_over(settings, clock)

    def start_over(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """Become as good as new, at the same address: no account, no token, nothing seen, all answers let go."""
        self.pause.close()
        self.pause = Pause()
        self.settings = settings
        self.clock = ShiftableClock(clock)
        self.switches = Switches()
        self.faults = Faults()
        self.accounts = Accounts()
        self.limits = Limits(self.clock)
        self.webhooks = Webhooks(lambda: iso(self.clock()))
        self.client = Client(settings)
        self.seen = Seen(self.clock, keep_raw=settings.keep_raw)
        self.tokens = Tokens(self.clock, settings.token_length, settings.mark)
        self.server = ZendeskServer(settings, self.client, self.tokens, self.switches)

    @property
    def base_url(self) -> str:
        """The address with `{subdomain}` in it, as a deployment is configured with it."""
        return f"{self.address}/{{subdomain}}"

    def url(self, subdomain: str) -> str:
        """Return the address of one account."""
        return f"{self.address}/{subdomain}"

    def misbehave(  # who, where and how often, all of them by name
        self,
        kind: str,
        *,
        times: int | None = 1,
        endpoint: str = "token",
        subdomain: str | None = None,
        grant_type: str | None = None,
        **options: object,
    ) -> None:
        """Queue a misbehaviour of `misbehaviours.KINDS`; `times=None` lasts until `faults.clear()`.

        Raises ValueError for a kind, a place, a number or an option that is none.
        """
        misbehaviours.check(kind, options)
        self.faults.add(Fault(kind, endpoint, times, subdomain, grant_type, options))

    def answer(
        self, endpoint: str, subdomain: str, fields: Mapping[str, str], work: Callable[[], Response]
    ) -> Response:
        """Answer a request: well, unless a misbehaviour is queued for it."""
        fault = self.faults.take(endpoint, subdomain, fields.get("grant_type"))
        if fault is None:
            return work()
        call = misbehaviours.Call(work, fields, self.clock, self.pause, self.tokens, self.elsewhere)
        return misbehaviours.KINDS[fault.kind](call, **fault.options)

    @property
    def elsewhere(self) -> str:
        """An address at another host name, which is ours too: whoever is led there is counted."""
        return self.address.replace("127.0.0.1", "localhost") + "/_elsewhere"

    def add_ticket(self, subdomain: str, subject: str, body: str) -> dict[str, object]:
        """Do what a customer does who writes to the account: its webhooks are told. Raises NoSuchAccountError."""
        account = self.accounts.get(subdomain)
        ticket = account.add_ticket(subject, body, iso(self.clock()))
        self.webhooks.tell_of(account, ticket)
        return ticket

    def add_webhook(self, subdomain: str, endpoint: str) -> Webhook:
        """Do what an account's admin does who has an address told of new tickets.

        Raises NoSuchAccountError, and ValueError for an address elsewhere than on loopback.
        """
        return self.webhooks.add(self.accounts.get(subdomain), endpoint, TICKET_CREATED)

    def revoke_token(self, token_id: int) -> bool:
        """Do what a customer's admin does who deletes a token; False if there was none alive."""
        return self.tokens.revoke(token_id) is not None

    def revoke_all(self, subdomain: str) -> int:
        """Delete every token of an account; returns how many lived."""
        return sum(self.revoke_token(pair.id) for pair in self.tokens.alive(subdomain))

    def remove_person(self, subdomain: str, role: str) -> None:
        """Take a person away: their tokens die with them, and they cannot sign in again.

        Raises NoSuchAccountError, or KeyError without such a person.
        """
        person = self.accounts.get(subdomain).people.pop(role)
        for pair in self.tokens.alive(subdomain):
            if pair.person is person:
                self.tokens.revoke(pair.id)

    def delete_account(self, subdomain: str) -> None:
        """Delete an account with all its tokens; raises NoSuchAccountError without one."""
        self.revoke_all(subdomain)
        self.accounts.delete(subdomain)

    def rename_subdomain(self, subdomain: str, to: str) -> None:
        """Give an account another name at once; tokens live on, under the new name.

        Raises NoSuchAccountError without an account, ValueError for a name that cannot be had.
        """
        self.accounts.rename(subdomain, to)

    def alive(self, subdomain: str | None = None) -> list[TokenPair]:
        """Return the pairs alive, of one account or of all."""
        return self.tokens.alive(subdomain)

    def release(self) -> None:
        """Let every late answer go now; `pause.waiting` says how many there are."""
        self.pause.release()

    def reset(self) -> None:
        """Behave well, turn every switch back, forget what was seen; accounts and tokens stay."""
        self.faults.clear()
        self.switches.reset()
        self.seen.clear()
        self.release()
