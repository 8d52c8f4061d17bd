"""What tells of trouble: the alarms, and the queues in which something waits only after a failure."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.checkup.each import PUT_BACK, each
from cli.checkup.patient import Patient

ALARM = "AWS::CloudWatch::Alarm"
OPERATIONS = "docs/operations.md says what to do"


def alarms(patient: Patient) -> str | None:
    """See whether each is there, may act, and tells somebody."""
    found = list(_alarms(patient))
    gone = set(patient.resources[ALARM].values()) - {alarm["AlarmName"] for alarm in found}
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
    rings = [alarm["AlarmName"] for alarm in _alarms(patient) if alarm["StateValue"] == "ALARM"]
    names = ", ".join(sorted(name.removeprefix(prefix) for name in rings))
    return f"{names}: {OPERATIONS}" if names else None


def queues(patient: Patient) -> str | None:
    """See whether each is empty."""
    client = patient.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def look(url: str) -> str | None:
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        waiting = sum(int(found[name]) for name in names)
        return f"has {waiting}: {OPERATIONS}" if waiting else None

    return each(patient, "AWS::SQS::Queue", look)


def _alarms(patient: Patient) -> Iterator[Mapping[str, Any]]:
    pages = patient.client("cloudwatch").get_paginator("describe_alarms")
    own = set(patient.resources[ALARM].values())
    for page in pages.paginate(AlarmNamePrefix=f"{patient.desk.stack.name}-"):
        yield from (alarm for alarm in page["MetricAlarms"] if alarm["AlarmName"] in own)
