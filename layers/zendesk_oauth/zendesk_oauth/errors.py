"""Everything that can go wrong, as one tree.

    ZendeskOAuthError
    ├── ConfigurationError            the deployment is set up wrongly; names all that is wrong
    ├── RequestError                  what was asked cannot be done; nothing was written
    │   ├── MalformedRequestError     the HTTP request itself is broken
    │   ├── SubdomainRefusedError     not the name of a Zendesk account
    │   │   └── SubdomainMissingError a link whose page had no value for it
    │   ├── UnknownGrantError         no grant of that name is configured
    │   ├── ReturnToRefusedError      the address to return to is not on the list
    │   ├── InvitationRequiredError   this deployment starts installs by invitation only
    │   ├── InvitationRejectedError   unknown, used or over
    │   ├── ContinueRejectedError     the Continue button of another browser, or too late
    │   ├── InvitationsNotOfferedError  this deployment starts installs openly
    │   ├── ConfirmationRejectedError   not a candidate of this user, or over
    │   ├── PrefetchRefusedError      a browser looked ahead; nothing may be used up by that
    │   └── AddressRefusedError       a worker's call does not go to the account whose token would sign it
    ├── CallbackError                 Zendesk's redirect cannot be taken as an answer
    │   ├── MalformedCallbackError    repeats, sizes, encodings, contradictions
    │   ├── StateRejectedError        unknown install, wrong secret or another browser
    │   └── WrongRoleError            somebody pressed Allow who may not connect the account
    ├── ProviderError                 Zendesk's side of a call
    │   ├── ProviderUnavailableError  try again later; says whether anything was sent
    │   ├── GrantRejectedError        `invalid_grant` and its kin: this code or token is over
    │   ├── ClientRejectedError       `invalid_client` and its kin: our own credentials or set-up
    │   ├── TokenRefusedError         an API call said 401 or 403 to the token
    │   ├── AnswerLostError           a code was sent, and what Zendesk issued for it never reached us
    │   └── UnintelligibleAnswerError neither a whole answer nor a typed error
    │       ├── AccountNotFoundError  there is no account at this subdomain
    │       ├── UnrecognisedErrorError  an OAuth error of a code that is not known here
    │       └── UnusableTokensError   tokens that are not to be kept, but revoked (in `models.tokens`)
    ├── TokenUnavailableError         a worker cannot be given an access token
    │   ├── ReconnectRequiredError    a person has to connect; says since when, why, and where
    │   ├── MissingScopeError         the connection may not do that, and no refresh helps
    │   └── RefreshPendingError       the token is over and its refresh has not ended; try again
    ├── SealError                     the key service or a sealed value
    │   ├── KeyUnavailableError       no data key can be had now
    │   └── SealBrokenError           a sealed value does not open: tampered, moved or foreign
    ├── SecretUnavailableError        the client secret cannot be read now
    └── StoreError
        ├── StoreUnavailableError     the write may or may not have been made; try again
        └── VersionConflictError      a condition failed: somebody else was first

`code` is for machines and support, `public_message` for people, `args` for the log.
None of the three ever holds a secret. HTTP statuses are known in `web` alone.
"""

import re
from datetime import datetime, timedelta

_ERROR_CODE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")
"""What an error code consists of (RFC 6749 section 5.2): neither a quote, nor a backslash, nor a control character."""
_LONGEST_ERROR_CODE = 64


class ZendeskOAuthError(Exception):
    """The root: anything this package raises on purpose."""

    code = "internal"
    retryable = False
    public_message = "Something went wrong on our side."


class ConfigurationError(ZendeskOAuthError):
    """The deployment is set up wrongly; `problems` names everything that is, not only the first."""

    code = "configuration"
    public_message = "This service is not set up correctly yet. Its operator has to look into it."

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class RequestError(ZendeskOAuthError):
    """What was asked cannot be done, and nothing was written."""

    code = "request"
    public_message = "This request cannot be answered."


class MalformedRequestError(RequestError):
    """The HTTP request itself is broken: encoding, size, repeats, JSON."""

    code = "malformed_request"
    public_message = "The request is incomplete or damaged, so nothing was done. Please start again."


class SubdomainRefusedError(RequestError):
    """The text is not the name of a Zendesk account."""

    code = "subdomain_refused"
    public_message = "This is not a Zendesk subdomain. It looks like “acme” in acme.zendesk.com."


class SubdomainMissingError(SubdomainRefusedError):
    """The text is empty, or what a program writes for a variable without a value: `undefined`, `null`, `none`."""

    code = "subdomain_missing"
    public_message = "The link did not say which Zendesk account to connect. Please enter its subdomain."


class UnknownGrantError(RequestError):
    """No grant of that name is configured at this deployment."""

    code = "unknown_grant"
    public_message = (
        "This kind of connection is not offered here."
        " Please check the link, or ask the company that gave it to you."
    )


class ReturnToRefusedError(RequestError):
    """The address to return to is neither relative to the site nor of an allowed origin."""

    code = "return_to_refused"
    public_message = (
        "The link names a page to return to that is not allowed."
        " Please check the link, or ask the company that gave it to you."
    )


class InvitationRequiredError(RequestError):
    """In `confirmed` mode an install starts with an invitation only."""

    code = "invitation_required"
    public_message = (
        "A connection starts with the button on the company's own page. Please go there and press it."
    )


class InvitationRejectedError(RequestError):
    """The invitation is unknown, was used, or its 60 seconds are over."""

    code = "invitation_rejected"
    public_message = (
        "This link has expired or has already been used. Please go back and press the button again."
    )


class ContinueRejectedError(RequestError):
    """The Continue button was pressed without the cookie that its page set, for another invitation, or too late."""

    code = "continue_rejected"
    public_message = (
        "This page has expired, or your browser did not keep its cookie."
        " Please allow cookies for this site, then go back and press the button again."
    )


class InvitationsNotOfferedError(RequestError):
    """In `open` mode there are no invitations."""

    code = "invitations_not_offered"
    public_message = "This deployment starts installs openly; it has no invitations."


class ConfirmationRejectedError(RequestError):
    """There is no such candidate for this user, or its ten minutes are over.

    One error for every cause, so that a stranger learns nothing from the difference.
    """

    code = "confirmation_rejected"
    public_message = "There is no install that this user could confirm."


class PrefetchRefusedError(RequestError):
    """A browser looked ahead at the address; looking must not use anything up."""

    code = "prefetch_refused"
    public_message = (
        "Your browser tried to load this page ahead of time, so nothing was done. Please open it now."
    )


class AddressRefusedError(RequestError):
    """A worker's call does not go to the account whose token would sign it: a token goes nowhere else."""

    code = "address_refused"
    public_message = "This call does not go to the Zendesk account that it was to be signed for."


class CallbackError(ZendeskOAuthError):
    """Zendesk's redirect cannot be taken as an answer to an install of this browser."""

    code = "callback"
    public_message = "This answer from Zendesk cannot be used. Please start again."


class MalformedCallbackError(CallbackError):
    """Repeated, oversized, badly encoded or contradictory parameters (RFC 6749 section 4.1.2)."""

    code = "malformed_callback"
    public_message = "The answer from Zendesk is incomplete or damaged. Please start again."


class StateRejectedError(CallbackError):
    """Unknown install, wrong state secret, or another browser's (RFC 6749 section 10.12)."""

    code = "state_rejected"
    public_message = (
        "This answer belongs to another browser or to an install that has expired."
        " Please start again in this browser."
    )


class WrongRoleError(CallbackError):
    """Allow was pressed by somebody whose role at Zendesk is not one of the required.

    Any Zendesk user can press Allow, an end user too, and such a token must never replace an admin's.
    """

    code = "wrong_role"
    public_message = (
        "Only an admin of the Zendesk account can connect it, and the user who pressed Allow is not one."
        " Please ask an admin to do it."
    )


class ProviderError(ZendeskOAuthError):
    """Zendesk's side of a call went wrong."""

    code = "provider"
    public_message = "Zendesk did not complete the connection."


class ProviderUnavailableError(ProviderError):
    """Zendesk cannot be reached, is busy (429) or failing (5xx).

    `nothing_sent` is True only where not one byte left: only then is the same call safe to repeat at once.
    `throttled` is True for a 429: the call was counted, and not carried out.
    `retry_after` is what Zendesk asked us to wait, already capped, or None.
    """

    code = "provider_unavailable"
    retryable = True
    public_message = "Zendesk cannot be reached at the moment. Please try again in a minute."

    def __init__(
        self,
        message: str,
        *,
        nothing_sent: bool = False,
        throttled: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.nothing_sent = nothing_sent
        self.throttled = throttled
        self.retry_after = retry_after


class GrantRejectedError(ProviderError):
    """`invalid_grant` or `invalid_scope` (RFC 6749 section 5.2): this code or token is over."""

    code = "grant_rejected"
    public_message = (
        "Zendesk did not accept the authorization: it has expired or was already used. Please try again."
    )


class ClientRejectedError(ProviderError):
    """`invalid_client` and whatever else is our own set-up's fault (RFC 6749 section 5.2)."""

    code = "client_rejected"
    public_message = (
        "Zendesk does not accept this application, so trying again does not help."
        " Its operator has to look into it."
    )


class TokenRefusedError(ProviderError):
    """An API call answered 401 or 403 to the token; `status` says which."""

    code = "token_refused"
    public_message = "Zendesk refused the new token, so nothing was connected. Please try again."

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class UnintelligibleAnswerError(ProviderError):
    """Neither a whole, typed answer nor a typed error came back.

    `status` is that of an answer that was refused for it, or whose body is no JSON object; None otherwise.
    """

    code = "unintelligible_answer"
    public_message = "Zendesk's answer could not be understood. Please try again."

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class UnrecognisedErrorError(UnintelligibleAnswerError):
    """An OAuth error whose code is none of RFC 6749's.

    `server_code` is what Zendesk wrote, for the log: at most 64 characters that an error code may have (RFC 6749
    sections 4.1.2.1 and 5.2), or None where it has others.
    """

    code = "unrecognised_error"
    public_message = ProviderError.public_message

    def __init__(self, unverified_code: object) -> None:
        super().__init__("an error of no known code")
        self.server_code = server_error_code(unverified_code)


def server_error_code(unverified_code: object) -> str | None:
    """Return an OAuth error code as it may be logged, cut to 64 characters; None where it is none."""
    if not isinstance(unverified_code, str) or not _ERROR_CODE.fullmatch(unverified_code):
        return None
    return unverified_code[:_LONGEST_ERROR_CODE]


class AnswerLostError(ProviderError):
    """A code was sent, and no answer came that can be read: Zendesk may have issued a pair that nobody can revoke."""

    code = "answer_lost"
    public_message = "Zendesk's answer did not reach us. Please start again."


class AccountNotFoundError(UnintelligibleAnswerError):
    """The token endpoint answered 404 with a page: "no help desk at this address", for a code that was to be exchanged.

    The account was renamed or deleted, or the subdomain is that of a brand.
    """

    code = "account_not_found"
    public_message = (
        "Zendesk found no account at this subdomain."
        " Please check it: the account's own subdomain is needed, not that of a brand or a Help Center."
    )


class TokenUnavailableError(ZendeskOAuthError):
    """A worker cannot be given an access token for this connection."""

    code = "token_unavailable"


class ReconnectRequiredError(TokenUnavailableError):
    """Only a person can help: the connection is lost, ended, or was never made.

    `reason` is the row's own or the status it has; `since` is when it was noticed, or None where nobody knows.
    `reconnect_url` is where an admin of the account begins again, or None where installs begin by invitation.
    """

    code = "reconnect_required"
    public_message = "The Zendesk account has to be connected again."

    def __init__(
        self, message: str, *, reason: str, since: datetime | None = None, reconnect_url: str | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.since = since
        self.reconnect_url = reconnect_url


class MissingScopeError(TokenUnavailableError):
    """The token has not these scopes; they cannot change without a new install, so nothing is refreshed."""

    code = "missing_scope"
    public_message = "The connection does not include the permission that this needs."

    def __init__(self, message: str, *, scopes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.scopes = scopes


class RefreshPendingError(TokenUnavailableError):
    """The stored token is over, and the refresh of it has not ended in the time there was.

    `retry_after` is when to ask again, or None where nobody knows.
    """

    code = "refresh_pending"
    retryable = True
    public_message = "The connection is being renewed. Please try again in a moment."

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SealError(ZendeskOAuthError):
    """The key service, or a value sealed with its keys."""

    code = "seal"


class KeyUnavailableError(SealError):
    """No data key can be had: throttled, denied, disabled. Nothing at Zendesk was spent."""

    code = "key_unavailable"
    retryable = True
    public_message = "Our encryption keys are not available at the moment. Please try again in a minute."


class SealBrokenError(SealError):
    """A sealed value does not open where it lies: tampered with, moved, or sealed elsewhere."""

    code = "seal_broken"


class SecretUnavailableError(ZendeskOAuthError):
    """The client secret cannot be read at the moment. Nothing at Zendesk was spent."""

    code = "secret_unavailable"
    retryable = True
    public_message = (
        "Our credentials for Zendesk are not available at the moment. Please try again in a minute."
    )


class StoreError(ZendeskOAuthError):
    """The tables."""

    code = "store"


class StoreUnavailableError(StoreError):
    """The store did not answer, or refused for load: a write may or may not have been made."""

    code = "store_unavailable"
    retryable = True
    public_message = "Our database does not answer at the moment. Please try again in a minute."


class VersionConflictError(StoreError):
    """A condition failed: the row is not, or no longer, what the writer believed."""

    code = "version_conflict"
