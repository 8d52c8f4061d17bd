"""What tells of trouble: the alarms, and the queues in which something waits only after a failure."""

from collections.abc import Mapping

from cli.checkup.each import PUT_BACK, each, together
from cli.checkup.patient import ALARM, Patient

QUEUE = "AWS::SQS::Queue"
OPERATIONS = "docs/operations.md"
TOLD_BY: Mapping[str, str] = {
    "RescueQueue": "rescue-waits",
    "RescueDeadLetterQueue": "rescue-dead-letters",
    "UnpublishedQueue": "event-set-aside",
    "UnpublishedDeadLetterQueue": "unpublished-dead-letters",
    "UnreadBatchesQueue": "unread-batches",
}
"""The alarm that rings where something waits in a queue: its part of the page says what to do."""


def alarms(patient: Patient) -> str | None:
    """See whether each is there, may act, and tells somebody."""
    found = patient.alarms
    gone = set(patient.resources.get(ALARM, {}).values()) - {alarm["AlarmName"] for alarm in found}
    off = [alarm["AlarmName"] for alarm in found if not alarm["ActionsEnabled"]]
    if gone:
        return f"gone: {', '.join(sorted(gone))}; {PUT_BACK}"
    if off:
        return f"switched off: aws cloudwatch enable-alarm-actions --alarm-names {' '.join(sorted(off))}"
    if not all(alarm["AlarmActions"] for alarm in found):
        return "they tell nobody: deploy with AlarmTopicArn, a topic that reaches whoever is on call"
    return None


def silence(patient: Patient) -> str | None:
    """See whether none rings."""
    prefix = f"{patient.desk.stack.name}-"
    rings = sorted(alarm["AlarmName"] for alarm in patient.alarms if alarm["StateValue"] == "ALARM")
    return together(f"{OPERATIONS}#{name.removeprefix(prefix)}" for name in rings)


def queues(patient: Patient) -> str | None:
    """See whether each is empty."""
    client = patient.client("sqs")
    logical = {url: name for name, url in patient.resources.get(QUEUE, {}).items()}
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def look(url: str) -> str | None:
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        waiting = sum(int(found[name]) for name in names)
        return f"has {waiting}: {OPERATIONS}#{TOLD_BY.get(logical[url], 'the-alarms')}" if waiting else None

    return each(patient, QUEUE, look)
