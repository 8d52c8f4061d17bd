"""What Zendesk and a browser have to agree with: our address, the client and its secret, the redirect address."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from cli.checkup.each import PUT_BACK, together
from cli.checkup.patient import REJECTED, Patient
from zendesk_oauth.models.inquiry import OK

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

GLOBAL = "zdg-"
"""How Zendesk's identifiers of global clients begin."""
SENDERS = ("start", "callback")
"""Who sends the redirect address: with the question, and with the code."""
SERVER_ERROR = HTTPStatus.INTERNAL_SERVER_ERROR
NO_SUCH_CLIENT = b"no such client"
"""What Zendesk's page is reported to say of a client that it does not know; docs/zendesk.md says how sure that is."""
SET_AGAIN = "put the client's secret, as Admin Center gives it, into Secrets Manager"
SECRET: Mapping[str, str] = {
    "configuration": "ClientSecretArn names nothing that holds a secret: docs/configuration.md#the-client-secret",
    "secret_unavailable": "Secrets Manager did not give it: look at the role of refresh, then try again",
}
CLIENT: Mapping[str, str] = {
    "provider_unavailable": "Zendesk does not answer: try again later",
}
KEY: Mapping[str, str] = {
    "key_unavailable": "KMS does not let refresh use TokenKeyArn: is the key enabled, and its policy as it was?",
}
"""What to do, by the code of what stood in the way."""


def address(patient: Patient) -> str | None:
    """See whether a browser gets our own page where installs begin; without a question nothing is begun by it."""
    url = patient.stack.endpoints.start
    try:
        answer = patient.page(url)
    except Exception as error:  # noqa: BLE001 - whatever keeps a browser from it
        return f"{url} does not answer ({type(error).__name__}): look at PublicBaseUrl or DomainName, and at its DNS"
    if answer.status_code >= SERVER_ERROR:
        return f"{url} answers with {answer.status_code}: the log of the function start says why"
    if "content-security-policy" not in _names(answer):
        return f"something else answers at {url}: look at PublicBaseUrl or DomainName, and at its DNS"
    return None


def secret(patient: Patient) -> str | None:
    """See whether the function `refresh` can read it, and whether it can be meant."""
    code, problem = patient.examination["secret"], patient.examination.get("secret_problem")
    return f"{problem}: docs/configuration.md#the-client-secret" if problem else _mend(code, SECRET)


def client(patient: Patient) -> str | None:
    """See whether Zendesk knows it, with that secret; where it does not, name every cause that fits."""
    code = patient.examination["client"]
    if code is None:
        return "not known before the secret can be read"
    if code != REJECTED:
        return _mend(code, CLIENT)
    page, rejected = patient.consent, "Zendesk rejects ZendeskClientId with this secret"
    if not isinstance(page, Exception) and page.status_code < HTTPStatus.BAD_REQUEST:
        said = f"{rejected}, and its page of consent does not refuse the identifier"
        return f"{said}: {SET_AGAIN}; if it is that one, {_unknown(patient)}"
    return f"{rejected}, for one of these reasons: {SET_AGAIN}; {_unknown(patient)}"


def _unknown(patient: Patient) -> str:
    """Return why Zendesk may not know a client at an account, and what to do about each cause."""
    identifier = "ZendeskClientId is not the client's unique identifier: compare it with Admin Center"
    if patient.stack.client_id.startswith(GLOBAL):
        return f"{identifier}; or the global client is not approved yet: until then only its own account knows it"
    return f"{identifier}; or it is a local client of another account than {patient.account}"


def key(patient: Patient) -> str | None:
    """See whether a token can be sealed and opened."""
    return _mend(patient.examination["key"], KEY)


def redirect(patient: Patient) -> str | None:
    """See whether installs send the stack's own, and whether Zendesk's page of consent refuses it."""
    return together(_sent(patient, verb) for verb in SENDERS) or _refused(patient)


def _sent(patient: Patient, verb: str) -> str | None:
    """Return what is to be done where a function was given another address, or another client, than the stack has."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - as cli.desk says

    name, client = patient.desk.stack.function(verb), patient.client("lambda")
    try:
        found = client.get_function_configuration(FunctionName=name)
    except ClientError:
        return None  # which the line of the functions tells
    given = found.get("Environment", {}).get("Variables", {})
    wanted = {
        "PUBLIC_BASE_URL": patient.desk.stack.outputs["PublicBaseUrl"],
        "ZENDESK_CLIENT_ID": patient.stack.client_id,
    }
    others = [variable for variable, value in wanted.items() if given.get(variable) != value]
    return f"{verb} has another {' and '.join(others)} than the stack: {PUT_BACK}" if others else None


def _refused(patient: Patient) -> str | None:
    """Ask for the page, as an install would; a client or an address that Zendesk does not know is answered with 400."""
    page, subdomain = patient.consent, patient.account
    if isinstance(page, Exception):
        return f"Zendesk does not answer ({type(page).__name__}): try again later"
    if page.status_code == HTTPStatus.NOT_FOUND:
        return (
            f"Zendesk has no account {subdomain}: the name is mistyped, the account was renamed or closed, "
            "or it is the address of a brand; name another, `zendesk-oauth doctor acme`"
        )
    if page.status_code < HTTPStatus.BAD_REQUEST:
        return None
    if page.status_code != HTTPStatus.BAD_REQUEST:
        return f"not known, because Zendesk answers with {page.status_code}: try again later"
    return _why_refused(patient, page)


def _why_refused(patient: Patient, page: "AWSResponse") -> str:
    """Return the cause of a 400, or every cause that fits: the page is the same for several."""
    client_id, own = patient.stack.client_id, patient.stack.endpoints.redirect_uri
    register = f"in Admin Center, give the client {client_id} the redirect URL {own}, byte for byte"
    if NO_SUCH_CLIENT in page.content.lower():
        return f"Zendesk does not know the client {client_id} at {patient.account}: {_unknown(patient)}"
    if patient.known_client:
        return f"Zendesk knows the client and refuses its redirect URL: {register}"
    return f"Zendesk refuses it, for one of these reasons: {_unknown(patient)}; or {register}"


def is_global(patient: Patient) -> str | None:
    """See whether accounts of others can be connected."""
    if patient.is_own_account or patient.stack.client_id.startswith(GLOBAL):
        return None
    return (
        "a local client connects its own account alone: have Zendesk make it global (docs/deploy.md), "
        "or say --own-account where that is meant"
    )


def _mend(code: str, mends: Mapping[str, str]) -> str | None:
    return None if code == OK else mends.get(code, f"{code}: docs/errors.md says what it means")


def _names(answer: "AWSResponse") -> set[str]:
    return {name.lower() for name in answer.headers}
