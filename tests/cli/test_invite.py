"""`zendesk-oauth invite`: an address where a browser begins an install."""

import json

import pytest

from cli.exits import Exit
from tests.cli.aws import LoopbackAws, Said
from tests.cli.conftest import Type
from tests.cli.samples import at

INVITE = "POST /invitations"
LINK = "https://connect.example.com/oauth/start?invitation=a-secret"


def test_an_open_deployment_has_one_address_for_all(aws: LoopbackAws, typed: Type) -> None:
    """Nothing is asked; whom it is for is not noted, and that is said."""
    result = typed("invite", "ann", "--subdomain", "https://ACME.zendesk.com", "--grant", "reporting")
    assert result.exit_code == Exit.DONE, result.stderr
    assert result.stdout.strip() == "https://connect.example.com/oauth/start?grant=reporting&subdomain=acme"
    assert "anybody may use it" in result.stderr
    assert aws.requests(INVITE) == []


def test_without_a_word_it_is_the_form(aws: LoopbackAws, typed: Type) -> None:
    """Which asks for the account."""
    assert typed("invite", "ann").stdout.strip() == aws.outputs["StartUrl"]


@pytest.mark.parametrize("user", ["", " "])
def test_nobody_is_not_invited(aws: LoopbackAws, typed: Type, user: str) -> None:
    """In either mode; nobody is asked."""
    result = typed("invite", user)
    assert (result.exit_code, "USER is empty" in result.stderr) == (2, True)
    assert aws.asked == []


def test_a_confirmed_deployment_invites(aws: LoopbackAws, typed: Type) -> None:
    """The one secret that the command shows, because to be handed on is what it is for."""
    aws.parameters["StartMode"] = "confirmed"
    invitation = {"start_url": LINK, "install": "A" * 22, "expires_at": at(seconds=60), "more": 1}
    aws.say(INVITE, Said(201, invitation))
    result = typed("invite", "ann", "--return-to", "https://app.example.com/back")
    assert (result.exit_code, result.stdout.strip()) == (Exit.DONE, LINK)
    assert "works once, and ends in" in result.stderr
    [asked] = aws.requests(INVITE)
    assert asked.body == {"user": "ann", "return_to": "https://app.example.com/back"}
    told = json.loads(typed("invite", "ann", "--json").stdout)
    assert told == {name: invitation[name] for name in ("start_url", "install", "expires_at")}


def test_a_refusal_says_what_is_wrong(aws: LoopbackAws, typed: Type) -> None:
    """In words, with the API's own code."""
    aws.parameters["StartMode"] = "confirmed"
    aws.say(INVITE, Said(400, {"error": "return_to_refused", "message": "-"}))
    result = typed("invite", "ann", "--return-to", "https://elsewhere.example.com")
    assert (result.exit_code, "AllowedReturnOrigins" in result.stderr) == (Exit.USAGE, True)


def test_a_grant_that_is_not_configured_is_refused(aws: LoopbackAws, typed: Type) -> None:
    """Its address would lead nowhere."""
    result = typed("invite", "ann", "--grant", "nobody")
    assert (result.exit_code, result.stdout, aws.requests(INVITE)) == (Exit.USAGE, "", [])
