"""The example's README shows the code as it is, names every parameter, and reads outputs that are there."""

import re

from tests.examples.building import EXAMPLE, template
from tests.examples.readme import README, blocks, webhook

_ROW = re.compile(r"^\| `(.+?)` \|", re.MULTILINE)


def test_the_code_that_it_shows_is_the_code() -> None:
    """Every block of Python stands in one of the functions, line for line."""
    sources = [path.read_text() for path in EXAMPLE.glob("*/app.py")]
    shown = blocks("python")
    assert len(shown) > 5
    assert [block for block in shown if not any(block in source for source in sources)] == []


def test_its_table_has_every_parameter() -> None:
    """But for the processor, of which it speaks above, and what only the local stack gives."""
    named = {name for row in _ROW.findall(README) for name in row.split("`, `")}
    assert named & template()["Parameters"].keys() == template()["Parameters"].keys() - {
        "Architecture",
        "ZendeskBaseUrl",
    }


def test_the_outputs_that_it_reads_are_there() -> None:
    """By the names that its commands ask CloudFormation for."""
    asked = set(re.findall(r"OutputKey=='(\w+)'", README))
    assert asked == {"QueueUrl", "ReceiverUrl", "WebhookSecretsArn"}
    assert asked <= template()["Outputs"].keys()


def test_the_webhook_that_it_makes_is_one() -> None:
    """Its JSON has the account at the end of the address, and subscribes to new tickets alone."""
    made = webhook("https://id.lambda-url.eu-west-1.on.aws/", "globex")["webhook"]
    assert made["endpoint"] == "https://id.lambda-url.eu-west-1.on.aws/globex"
    assert made["subscriptions"] == ["zen:event-type:ticket.created"]
