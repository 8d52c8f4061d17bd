"""The commands of each document run, one after the other, against the deployed local stack."""

import pytest

from local.demo.scene import Scene, eventually
from tests.commands.blocks import documents_with_commands
from tests.commands.conftest import Run
from tests.examples.test_deployed import notes


@pytest.mark.parametrize("document", documents_with_commands())
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
    assert eventually(lambda: notes(customer.stack, "acme"), bool)
