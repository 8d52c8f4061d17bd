"""What runs the deployment: the stack, its functions, their roles, others' policies, the schedules that wake it."""

from cli.checkup.each import PUT_BACK, each
from cli.checkup.patient import Patient

GOOD_ENDS = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})


def stack(patient: Patient) -> str | None:
    """See whether its last change has ended well."""
    status = patient.desk.stack.status
    if status in GOOD_ENDS:
        return None
    return f"the stack is {status}: its events in CloudFormation say why"


def functions(patient: Patient) -> str | None:
    """See whether each is there, and was not left half updated."""
    client = patient.client("lambda")

    def look(name: str) -> str | None:
        found = client.get_function_configuration(FunctionName=name)
        states = (found.get("State"), found.get("LastUpdateStatus"))
        return f"has failed: {found.get('StateReason')}" if "Failed" in states else None

    return each(patient, "AWS::Lambda::Function", look)


def roles(patient: Patient) -> str | None:
    """See whether each is there, and may do something."""
    client = patient.client("iam")

    def look(name: str) -> str | None:
        client.get_role(RoleName=name)
        inline = client.list_role_policies(RoleName=name)["PolicyNames"]
        attached = client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        return None if inline or attached else f"has lost its permissions: {PUT_BACK}"

    return each(patient, "AWS::IAM::Role", look)


def policies(patient: Patient) -> str | None:
    """See whether each that others hold is there: workers, backends, operators."""
    client = patient.client("iam")

    def look(arn: str) -> None:
        client.get_policy(PolicyArn=arn)

    return each(patient, "AWS::IAM::ManagedPolicy", look)


def schedules(patient: Patient) -> str | None:
    """See whether each is on: what nobody uses is kept alive, and what was begun is ended."""
    client = patient.client("scheduler")

    def look(name: str) -> str | None:
        state = client.get_schedule(Name=name)["State"]
        return None if state == "ENABLED" else f"is {state}: enable {name} in EventBridge Scheduler"

    return each(patient, "AWS::Scheduler::Schedule", look)
