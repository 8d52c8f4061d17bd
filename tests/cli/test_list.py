"""`zendesk-oauth list`: pages followed, states told apart, and nothing but JSON for machines."""

import json

from cli.commands.list_connections import NONE
from cli.commands.show_connection import TIMES_OF_TOKENS
from tests.cli.aws import LoopbackAws, Said
from tests.cli.conftest import Type
from tests.cli.samples import at, connection

LIST = "GET /connections"


def page(*names: str, cursor: str | None = None) -> Said:
    """Return a page of connections."""
    return Said(body={"connections": [connection(name) for name in names], "cursor": cursor})


def test_connections_are_shown_to_people(aws: LoopbackAws, typed: Type) -> None:
    """A line for each, with how long its tokens live, and what is special about it."""
    lost = connection("globex", status="reconnect_required", reconnect_reason="answer_lost", expires_at=None)
    busy = connection(
        "hooli",
        missing_scopes=["tickets:read"],
        claim={"state": "living", "until": at(minutes=1)},
    )
    aws.say(LIST, Said(body={"connections": [connection(), lost, busy], "cursor": None}))
    result = typed("list")
    assert result.exit_code == 0, result.output
    head, _, *lines = (" ".join(line.split()) for line in result.stdout.splitlines() if line.strip())
    assert head == "grant subdomain status token ends unused ends note"
    assert lines == [
        "default acme active in 46 hours in 90 days",
        "default globex reconnect_required - in 90 days answer_lost",
        "default hooli active in 46 hours in 90 days refresh living, without tickets:read",
    ]
    assert result.stderr == ""


def test_every_page_is_followed(aws: LoopbackAws, typed: Type) -> None:
    """`--all` asks with each cursor until there is none, and JSON has them all."""
    aws.say(LIST, page("a", "b", cursor="two"), page("c", cursor="three"), page("d"))
    result = typed("list", "--all", "--grant", "default", "--json")
    assert [each["subdomain"] for each in json.loads(result.stdout)] == ["a", "b", "c", "d"]
    assert [asked.what for asked in aws.requests(LIST)] == [
        "GET /connections?grant=default&limit=100",
        "GET /connections?cursor=two&grant=default&limit=100",
        "GET /connections?cursor=three&grant=default&limit=100",
    ]
    assert all("/us-east-1/execute-api/aws4_request" in asked.authorization for asked in aws.requests(LIST))


def test_only_as_many_as_are_wanted(aws: LoopbackAws, typed: Type) -> None:
    """`--limit` counts what is shown; that there are more is said beside, and no page is asked for in vain."""
    aws.say(LIST, page("a", "b", "c", cursor="two"))
    result = typed("list", "--limit", "2", "--json")
    assert [each["subdomain"] for each in json.loads(result.stdout)] == ["a", "b"]
    assert "--all" in result.stderr
    assert len(aws.requests(LIST)) == 1


def test_one_state_is_looked_for_on_all_pages(aws: LoopbackAws, typed: Type) -> None:
    """The API has no such filter, so pages are read until there are enough or none is left."""
    lost = Said(body={"connections": [connection("z", status="reconnect_required")], "cursor": None})
    aws.say(LIST, page("a", cursor="two"), page("b", cursor="three"), lost)
    result = typed("list", "--status", "reconnect_required", "--json")
    assert [each["subdomain"] for each in json.loads(result.stdout)] == ["z"]
    assert len(aws.requests(LIST)) == 3


def test_a_list_of_nothing_is_a_list(aws: LoopbackAws, typed: Type) -> None:
    """For machines too."""
    aws.say(LIST, page())
    assert json.loads(typed("list", "--json").stdout) == []


def test_what_others_wrote_moves_no_cursor(aws: LoopbackAws, typed: Type) -> None:
    """A reason with an escape in it is shown with a mark in its place."""
    odd = connection(reconnect_reason="\x1b[2J[red]gone")
    aws.say(LIST, Said(body={"connections": [odd], "cursor": None}))
    shown = typed("list").stdout
    assert "\x1b" not in shown
    assert "\N{REPLACEMENT CHARACTER}[2J[red]gone" in shown


def test_an_empty_list_says_where_a_connection_begins(aws: LoopbackAws, typed: Type) -> None:
    """Beside the table's head, so that machines get an empty list."""
    aws.say("GET /connections", Said(body={"connections": [], "cursor": None}))
    result = typed("list", "--json")
    assert (json.loads(result.stdout), NONE in result.stderr) == ([], True)


def test_what_was_erased_has_no_end(aws: LoopbackAws, typed: Type) -> None:
    """The row keeps its times, and there is no token any more that they are about."""
    ended = connection(status="disconnected")
    aws.say("GET /connections", Said(body={"connections": [ended], "cursor": None}))
    aws.say("GET /connections/default/acme", Said(body=ended))
    [line] = [line for line in typed("list").stdout.splitlines() if "acme" in line]
    assert line.split() == ["default", "acme", "disconnected", "-", "-"]
    shown = typed("show", "acme").stdout
    assert [name for name, _ in TIMES_OF_TOKENS if name in shown] == []
    assert "installed" in shown


def test_nothing_of_a_grant_that_is_not_configured_is_a_wrong_name(aws: LoopbackAws, typed: Type) -> None:
    """It is refused and not shown as nothing; one that is configured may well have none yet."""
    aws.say(LIST, page())
    result = typed("list", "--grant", "defualt", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no grant of that name" in result.stderr
    assert json.loads(typed("list", "--grant", "reporting", "--json").stdout) == []


def test_connections_of_a_grant_that_was_taken_away_are_listed(aws: LoopbackAws, typed: Type) -> None:
    """They are still there, and somebody has to disconnect them."""
    aws.say(LIST, page("a"))
    result = typed("list", "--grant", "formerly", "--json")
    assert [each["subdomain"] for each in json.loads(result.stdout)] == ["a"]
