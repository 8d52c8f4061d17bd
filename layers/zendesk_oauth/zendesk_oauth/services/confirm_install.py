"""Confirm an install: the company's backend, which knows who is signed in, makes the candidate the connection.

An invitation alone is a bearer link that an attacker can send a victim through. The handle arrives in the
browser that pressed Allow, and only if its signed-in user is the one who was invited does anything become of it.
"""

from dataclasses import dataclass, replace

from zendesk_oauth.errors import ConfirmationRejectedError, VersionConflictError
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.models.secret import OneUseSecret, same
from zendesk_oauth.ports import Candidate, Clock, ConnectionStore, InstallStore


@dataclass(frozen=True, slots=True)
class ConfirmInstall:
    """One read, one transaction; confirming twice gives the same answer."""

    installs: InstallStore
    connections: ConnectionStore
    clock: Clock

    def __call__(self, handle: OneUseSecret, user_reference: str) -> Install:
        """Return the connected install.

        Raises ConfirmationRejectedError, having changed nothing, for another user's, an unknown or an over-due
        candidate alike, so that a stranger learns nothing; and StoreUnavailableError.
        """
        candidate = self.installs.find_candidate(handle.install_id)
        if candidate is None or not _is_theirs(candidate, handle, user_reference):
            raise ConfirmationRejectedError("not a candidate of this user")
        if candidate.install.status is InstallStatus.CONNECTED:
            return candidate.install
        now = self.clock.now()
        if candidate.install.status is not InstallStatus.CANDIDATE or candidate.install.is_over(now):
            raise ConfirmationRejectedError("no longer a candidate")
        try:
            self.connections.confirm(candidate, now)
        except VersionConflictError as error:
            return self._confirmed_meanwhile(handle, error)
        return replace(candidate.install, status=InstallStatus.CONNECTED)

    def _confirmed_meanwhile(self, handle: OneUseSecret, error: VersionConflictError) -> Install:
        """Whoever lost the transaction to another confirmation of the same user gets the same answer."""
        install = self.installs.find(handle.install_id)
        if install is None or install.status is not InstallStatus.CONNECTED:
            raise ConfirmationRejectedError("no longer a candidate") from error
        return install


def _is_theirs(candidate: Candidate, handle: OneUseSecret, user_reference: str) -> bool:
    install = candidate.install
    return same(install.handle_fingerprint, handle.fingerprint) and same(
        install.user_reference, user_reference
    )
