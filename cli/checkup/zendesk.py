"""What Zendesk and a browser have to agree with: our address, the client and its secret, the redirect address."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from cli.checkup.each import PUT_BACK, together
from cli.checkup.patient import Patient
from zendesk_oauth.models.inquiry import OK

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

GLOBAL = "zdg-"
"""How Zendesk's identifiers of global clients begin."""
SENDERS = ("start", "callback")
"""Who sends the redirect address: with the question, and with the code."""
SERVER_ERROR = HTTPStatus.INTERNAL_SERVER_ERROR
SECRET: Mapping[str, str] = {
    "configuration": "ClientSecretArn names nothing that holds a secret: docs/configuration.md#the-client-secret",
    "secret_unavailable": "Secrets Manager did not give it: look at the role of refresh, then try again",
}
CLIENT: Mapping[str, str] = {
    "client_rejected": (
        "Zendesk does not know ZendeskClientId with this secret: "
        "put the client's secret, as Admin Center gives it, into Secrets Manager, and compare the identifier"
    ),
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
    """See whether the function `refresh` can read it."""
    return _mend(patient.examination["secret"], SECRET)


def client(patient: Patient) -> str | None:
    """See whether Zendesk knows it, with that secret."""
    code = patient.examination["client"]
    return "not known before the secret can be read" if code is None else _mend(code, CLIENT)


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
    """Ask for the page, as an install would: whatever is not registered is answered with 400."""
    own, subdomain = patient.stack.endpoints.redirect_uri, patient.account
    client_id, scopes = patient.stack.client_id, _scopes(patient)
    query = {"response_type": "code", "client_id": client_id, "redirect_uri": own, "scope": scopes}
    # A challenge of nobody's: there is no verifier, so nothing could come of an answer.
    query |= {"state": "doctor", "code_challenge": "A" * 43, "code_challenge_method": "S256"}
    url = f"{patient.stack.endpoints.authorize(subdomain)}?{urlencode(query, quote_via=quote)}"
    try:
        status = patient.page(url).status_code
    except Exception as error:  # noqa: BLE001 - whatever keeps a browser from it
        return f"Zendesk does not answer ({type(error).__name__}): try again later"
    if status == HTTPStatus.NOT_FOUND:
        return f"there is no account {subdomain} at Zendesk: name another, `zendesk-oauth doctor acme`"
    if status < HTTPStatus.BAD_REQUEST:
        return None
    if status != HTTPStatus.BAD_REQUEST:
        return f"not known, because Zendesk answers with {status}: try again later"
    return f"Zendesk refuses it: in Admin Center, give the client {client_id} the redirect URL {own}, byte for byte"


def is_global(patient: Patient) -> str | None:
    """See whether accounts of others can be connected."""
    if patient.is_own_account or patient.stack.client_id.startswith(GLOBAL):
        return None
    return (
        "a local client connects its own account alone: have Zendesk make it global (docs/deploy.md), "
        "or say --own-account where that is meant"
    )


def _scopes(patient: Patient) -> str:
    return " ".join(next(iter(patient.stack.grants.values())).scopes)


def _mend(code: str, mends: Mapping[str, str]) -> str | None:
    return None if code == OK else mends.get(code, f"{code}: docs/errors.md says what it means")


def _names(answer: "AWSResponse") -> set[str]:
    return {name.lower() for name in answer.headers}
