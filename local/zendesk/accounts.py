"""The customers' accounts: who works there, which tickets they have, and what became of their subdomain.

The rule: an account comes into being when its subdomain is first used; once renamed or deleted, the old name is gone.
"""

import hashlib
import re
import threading
from dataclasses import dataclass, field

ROLES = {"admin": "Ada Admin", "agent": "Gus Agent", "end-user": "Eve Enduser"}
"""The roles as `users/me` spells them, and who has them in every account."""

OPENED_AT = "2026-01-05T09:00:00Z"
"""When the tickets were written that every account has."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class NoSuchAccountError(LookupError):
    """There is no account at this subdomain, or there is none any more."""


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in to an account and press Allow."""

    id: int
    name: str
    role: str
    email: str


@dataclass
class Account:
    """One customer's Zendesk; its tickets and their comments, oldest first, by the ticket's id; its people by role."""

    subdomain: str
    id: int
    people: dict[str, Person]
    tickets: dict[int, dict[str, object]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, object]]] = field(default_factory=dict)

    def add_ticket(self, subject: str, body: str, at: str = OPENED_AT) -> dict[str, object]:
        """Keep a new ticket and return it; its body is its first comment."""
        number = len(self.tickets) + 1
        ticket: dict[str, object] = {
            "id": number,
            "subject": subject,
            "description": body,
            "status": "new",
            "created_at": at,
            "updated_at": at,
        }
        self.tickets[number] = ticket
        self.comments[number] = []
        if body:
            self.add_comment(number, body, at)
        return ticket

    def add_comment(self, number: int, body: str, at: str, *, public: bool = True) -> None:
        """Keep a comment of a ticket, or an internal note if it is not public."""
        comments = self.comments[number]
        comment_id = number * 1000 + len(comments)
        comments.append(
            {"id": comment_id, "type": "Comment", "body": body, "public": public, "created_at": at}
        )


def _stable_id(*names: str) -> int:
    """Return an id that is the same in every run, and differs between accounts."""
    return int.from_bytes(hashlib.sha256("/".join(names).encode()).digest()[:5])


def _open_account(subdomain: str) -> Account:
    people = {
        role: Person(_stable_id(subdomain, role), name, role, f"{role}@{subdomain}.example")
        for role, name in ROLES.items()
    }
    account = Account(subdomain, _stable_id(subdomain), people)
    account.add_ticket("Where is my parcel?", "It should have come on Monday.")
    account.add_ticket("Wrong colour", "I ordered the blue one.")
    return account


class Accounts:
    """All accounts, by the name that they have now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._named: dict[str, Account | None] = {}

    def get(self, subdomain: str) -> Account:
        """Return the account at `subdomain`; raises NoSuchAccountError if there is none."""
        if not _LABEL.fullmatch(subdomain):
            raise NoSuchAccountError(subdomain)
        with self._lock:
            if subdomain not in self._named:
                self._named[subdomain] = _open_account(subdomain)
            account = self._named[subdomain]
        if account is None:
            raise NoSuchAccountError(subdomain)
        return account

    def rename(self, subdomain: str, new: str) -> None:
        """Give the account a new name; nothing leads from the old one to it.

        Raises NoSuchAccountError without an account, ValueError for a name that cannot be had.
        """
        account = self.get(subdomain)
        with self._lock:
            if not _LABEL.fullmatch(new) or self._named.get(new) is not None:
                raise ValueError("this name cannot be had")
            self._named[subdomain] = None
            self._named[new] = account
            account.subdomain = new

    def delete(self, subdomain: str) -> None:
        """Take the account away; raises NoSuchAccountError without one."""
        self.get(subdomain)
        with self._lock:
            self._named[subdomain] = None
