"""What keeps the rows and tells of them: the tables, their streams, and what reads streams and queues."""

from cli.checkup.each import IS_GONE, PUT_BACK, each, together
from cli.checkup.patient import Patient

TABLE = "AWS::DynamoDB::Table"
USABLE = frozenset({"ACTIVE", "UPDATING"})
ON = frozenset({"ENABLED", "ENABLING"})
READING = frozenset({"Enabled", "Enabling", "Updating"})
WHOLE_ROWS = "NEW_AND_OLD_IMAGES"


def tables(patient: Patient) -> str | None:
    """See whether each can be used, and what is over goes from the one, and the other can be brought back."""
    client = patient.client("dynamodb")

    def look(table: str) -> str | None:
        status = client.describe_table(TableName=table)["Table"]["TableStatus"]
        return None if status in USABLE else f"is {status}: look at it in DynamoDB"

    return each(patient, TABLE, look) or together(
        (*(_lives(patient, name) for name in _WITHOUT_TIME_TO_LIVE), _backups(patient))
    )


_WITHOUT_TIME_TO_LIVE = {
    "InstallsTable": "no install is told as abandoned",
    "ConnectionsTable": "what is left of replaced pairs stays for ever",
}


def _lives(patient: Patient, name: str) -> str | None:
    table = patient.desk.stack.outputs[f"{name}Name"]
    found = patient.client("dynamodb").describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if found["TimeToLiveStatus"] in ON:
        return None
    return f"{name} has no time to live, so {_WITHOUT_TIME_TO_LIVE[name]}: {PUT_BACK}"


def _backups(patient: Patient) -> str | None:
    found = patient.client("dynamodb").describe_continuous_backups(TableName=patient.stack.table)
    recovery = found["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    if recovery["PointInTimeRecoveryStatus"] in ON:
        return None
    return f"ConnectionsTable has no point-in-time recovery: {PUT_BACK}"


def streams(patient: Patient) -> str | None:
    """See whether both tables tell what changes, whole, and whatever reads a stream or a queue is at it."""
    told: set[str] = set()
    read: set[str] = set()
    off = together((_not_told(patient, told), _not_read(patient, read)))
    if off is None and told - read:
        return f"a table has another stream than the one that is read: {PUT_BACK}"
    return off


def _not_told(patient: Patient, told: set[str]) -> str | None:
    client = patient.client("dynamodb")

    def look(table: str) -> str | None:
        found = client.describe_table(TableName=table)["Table"]
        if found.get("StreamSpecification", {}).get("StreamViewType") != WHOLE_ROWS:
            return f"has no stream of whole rows, so no event is told of it: {PUT_BACK}"
        told.add(found["LatestStreamArn"])
        return None

    return each(patient, TABLE, look)


def _not_read(patient: Patient, read: set[str]) -> str | None:
    pages = patient.client("lambda").get_paginator("list_event_source_mappings").paginate()
    mappings = {mapping["UUID"]: mapping for page in pages for mapping in page["EventSourceMappings"]}

    def look(uuid: str) -> str | None:
        found = mappings.get(uuid)
        if found is None:
            return IS_GONE
        read.add(found["EventSourceArn"])
        if found["State"] not in READING:
            mend = f"aws lambda update-event-source-mapping --enabled --uuid {uuid}"
            return f"is {found['State']}, so nothing is read: {mend}"
        result = str(found.get("LastProcessingResult", ""))
        return f"says {result}: the function's log says why" if result.startswith("PROBLEM") else None

    return each(patient, "AWS::Lambda::EventSourceMapping", look)
