"""The commands of each document run, one after the other, against the deployed local stack."""

from http import HTTPStatus
from urllib.parse import urlsplit

import pytest

from local.demo.scene import Scene, eventually
from tests.commands.blocks import documents_with_commands
from tests.commands.conftest import Run
from tests.commands.exceptions import PLAYED, STACK_OF_ITS_OWN

DOCUMENTS = sorted({*documents_with_commands()} - PLAYED, key=lambda name: (name in STACK_OF_ITS_OWN, name))
"""What is run beside the others comes last."""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_commands_of_a_document_run(run: Run, document: str) -> None:
    """Each ends well, or is one of the few that are not run here."""
    outcome = run(document)
    assert outcome.status == 0, outcome.end


@pytest.mark.parametrize("document", ["docs/connections.md", "docs/workers.md"])
def test_a_signed_request_gets_a_token(run: Run, document: str) -> None:
    """By curl, for somebody who may do that and nothing else."""
    assert '"access_token": "' in run(document).printed


def test_the_examples_message_becomes_a_note(run: Run, customer: Scene) -> None:
    """Built, deployed and sent by the commands of its README, and by nothing else."""
    assert run("examples/worker-stack/README.md").status == 0
    seen = "Our worker has seen “Where is my parcel?”."
    assert eventually(lambda: [note for note in customer.notes("acme", 1) if note.startswith(seen)], bool)


def test_the_examples_webhook_is_made(run: Run, customer: Scene) -> None:
    """By the calls of its README, at the receiver that these have deployed."""
    assert run("examples/worker-stack/README.md").status == 0
    customer.stack.zendesk.add_ticket("acme", "Late", "Still nothing.")
    customer.stack.zendesk.webhooks.settle()
    known = customer.stack.worker_stack.receiver_address("acme")
    told = [one for one in customer.stack.zendesk.webhooks.invocations if b"Still nothing." in one.body]
    [invocation] = [one for one in told if one.webhook.endpoint != known]
    assert urlsplit(invocation.webhook.endpoint).path.endswith("/acme")
    assert invocation.statuses == [HTTPStatus.UNAUTHORIZED], "its secret is not told to the receiver here"
