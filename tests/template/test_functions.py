"""The functions: what they are told, where they log, and on what they run."""

import json
from typing import Any

import pytest

from tests.template.reading import ROOT
from zendesk_oauth.services.derive_events import ENDS
from zendesk_oauth.settings import VARIABLES

FUNCTIONS = ("start", "callback", "installs", "revoke", "refresh", "connections", "publish")
TIMEOUTS = dict(zip(FUNCTIONS, (10, 29, 10, 60, 60, 29, 60), strict=True))
SCHEDULES = {
    "RevokeSchedule": ("RevokeFunction", "rate(1 minute)", None),
    "KeepAliveSchedule": ("RefreshFunction", "rate(5 minutes)", {"schedule": "keep-alive"}),
    "UnfinishedSchedule": ("RefreshFunction", "rate(1 minute)", {"schedule": "unfinished"}),
}


def variables_of(template: dict[str, Any], verb: str) -> dict[str, Any]:
    """Return what the template sets for a function: what all get, and its own."""
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    own = template["Resources"][f"{verb.title()}Function"]["Properties"]["Environment"]["Variables"]
    assert not set(shared) & set(own)
    return {**shared, **own}


def test_the_functions_are_these(functions: dict[str, Any], resources: dict[str, Any]) -> None:
    """A function's folder, its verb in the package's settings and its logical id are the same word."""
    assert set(functions) == set(FUNCTIONS) == set(VARIABLES)
    for verb in FUNCTIONS:
        assert resources[f"{verb.title()}Function"]["Properties"]["Handler"] == f"{verb}.app.handler"


@pytest.mark.parametrize("verb", FUNCTIONS)
def test_the_template_sets_what_settings_read_and_nothing_else(verb: str, template: dict[str, Any]) -> None:
    """Both ways: no variable that is read is missing, none that is set is unread, but the one that the SDK reads."""
    assert set(variables_of(template, verb)) == VARIABLES[verb] | {"AWS_ENDPOINT_URL"}


def test_only_stage_local_leaves_aws(template: dict[str, Any]) -> None:
    """The SDK is given another address under a condition that holds at stage local alone, and then only if asked."""
    variable = template["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"]
    assert variable == {"Fn::If": ["HasLocalEndpoint", {"Ref": "LocalEndpointUrl"}, {"Ref": "AWS::NoValue"}]}
    condition = template["Conditions"]["HasLocalEndpoint"]["Fn::And"]
    assert {"Fn::Equals": [{"Ref": "Stage"}, "local"]} in condition


@pytest.mark.parametrize("verb", FUNCTIONS)
def test_local_values_exist_for_exactly_these_variables(verb: str, template: dict[str, Any]) -> None:
    """events/env.json, keyed by logical id, sets what the template sets, and where AWS is found locally."""
    local = json.loads((ROOT / "events/env.json").read_text())
    assert set(local) == {f"{verb.title()}Function" for verb in FUNCTIONS}
    own = local[f"{verb.title()}Function"]
    assert all(isinstance(value, str) for value in own.values())
    assert set(own) == set(variables_of(template, verb)) | {"AWS_ENDPOINT_URL"}
    assert own["STAGE"] == "local"


def test_no_variable_holds_a_secret(template: dict[str, Any]) -> None:
    """The client secret comes by ARN: no variable's value is one, and none but the ARN has the word in its name."""
    names = {name for verb in FUNCTIONS for name in variables_of(template, verb) if "SECRET" in name}
    assert names == {"CLIENT_SECRET_ARN"}
    assert not [name for name in template["Parameters"] if "Secret" in name and not name.endswith(("Arn",))]


def test_all_run_on_the_same_python_and_the_parameters_processor(template: dict[str, Any]) -> None:
    """One runtime and one architecture, chosen by parameter, for functions and layers alike."""
    shared = template["Globals"]["Function"]
    assert shared["Runtime"] == "python3.13"
    assert shared["Architectures"] == [{"Ref": "Architecture"}]
    assert template["Parameters"]["Architecture"]["Default"] == "arm64"
    for layer in ("DependenciesLayer", "PackageLayer"):
        properties = template["Resources"][layer]["Properties"]
        assert properties["CompatibleRuntimes"] == ["python3.13"]
        assert properties["CompatibleArchitectures"] == [{"Ref": "Architecture"}]
        assert properties["RetentionPolicy"] == "Retain"


def test_everything_is_built_by_a_makefile(template: dict[str, Any]) -> None:
    """Functions and layers all build by makefile, the only way to ship compiled bytecode."""
    built = {
        name: resource["Metadata"]["BuildMethod"]
        for name, resource in template["Resources"].items()
        if resource["Type"] in {"AWS::Serverless::Function", "AWS::Serverless::LayerVersion"}
    }
    assert len(built) == len(FUNCTIONS) + 2
    assert set(built.values()) == {"makefile"}


@pytest.mark.parametrize("verb", FUNCTIONS)
def test_time_limits(verb: str, functions: dict[str, Any]) -> None:
    """Each function has the time its work needs, and an explicit size."""
    assert functions[verb]["Timeout"] == TIMEOUTS[verb]
    assert functions[verb]["MemorySize"] >= 256


def test_every_log_group_forgets_after_the_parameters_days(resources: dict[str, Any]) -> None:
    """Each function and the API have a log group, and every group has the retention of the parameter."""
    groups = {
        resource["Properties"]["LogGroupName"]["Fn::Sub"]: resource["Properties"]["RetentionInDays"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    }
    own = [f"/aws/lambda/${{Application}}-${{Stage}}-{verb}" for verb in FUNCTIONS]
    assert sorted(groups) == sorted([*own, "/aws/vendedlogs/${Application}-${Stage}/api"])
    assert all(days == {"Ref": "LogRetentionDays"} for days in groups.values())


def test_the_longest_parameters_fit_into_a_functions_variables(template: dict[str, Any]) -> None:
    """Lambda has 4 kB for all variables of a function: what has no bound by its nature leaves the others 1.3 kB."""
    longest = [
        template["Parameters"][name]["MaxLength"] for name in ("Grants", "SiteUrl", "AllowedReturnOrigins")
    ]
    assert sum(longest) <= 4096 - 1300


def test_a_log_group_is_there_before_its_function(functions: dict[str, Any]) -> None:
    """A function may not make one, so what it said before would be gone; and what is named is made first."""
    assert {verb: properties["LoggingConfig"] for verb, properties in functions.items()} == {
        verb: {"LogGroup": {"Ref": f"{verb.title()}Logs"}} for verb in FUNCTIONS
    }


def test_the_runtime_leaves_the_root_logger_alone(template: dict[str, Any]) -> None:
    """The format is Text: a log level of Lambda's own would make botocore print what it sends."""
    assert template["Globals"]["Function"]["LoggingConfig"] == {"LogFormat": "Text"}


def test_concurrency_is_reserved_only_where_a_parameter_says_so(functions: dict[str, Any]) -> None:
    """Start, callback and refresh take a reservation by parameter, where -1 is none; the others have none."""
    none = {"Ref": "AWS::NoValue"}
    assert {
        verb: properties.get("ReservedConcurrentExecutions") for verb, properties in functions.items()
    } == {
        "start": {"Fn::If": ["ReservesStart", {"Ref": "StartConcurrency"}, none]},
        "callback": {"Fn::If": ["ReservesCallback", {"Ref": "CallbackConcurrency"}, none]},
        "installs": None,
        "revoke": None,
        "refresh": {"Fn::If": ["ReservesRefresh", {"Ref": "RefreshConcurrency"}, none]},
        "connections": None,
        "publish": None,
    }


def test_the_schedules_are_these(resources: dict[str, Any]) -> None:
    """Each schedule wakes its function, at its rate, with what that function takes for its word."""
    found = {}
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Scheduler::Schedule":
            schedule, target = resource["Properties"], resource["Properties"]["Target"]
            said = json.loads(target["Input"]) if "Input" in target else None
            found[name] = (target["Arn"]["Fn::GetAtt"][0], schedule["ScheduleExpression"], said)
            assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert found == SCHEDULES


@pytest.mark.parametrize("name", SCHEDULES)
def test_nothing_tries_a_failed_run_again_before_the_schedule_does(
    name: str, resources: dict[str, Any]
) -> None:
    """Neither the scheduler nor Lambda's own queue repeats a run, or keeps one for longer than a minute."""
    target = resources[name]["Properties"]["Target"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    function = SCHEDULES[name][0]
    queue = resources[function.replace("Function", "NoRetries")]
    assert queue["Type"] == "AWS::Lambda::EventInvokeConfig"
    assert queue["Properties"] == {
        "FunctionName": {"Ref": function},
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 60,
    }


def test_rescued_messages_are_replayed_one_by_one(resources: dict[str, Any]) -> None:
    """The rescue queue wakes refresh with ten at most, keeps only those that failed, and leaves room for others."""
    assert resources["RescueReplay"]["Properties"] == {
        "EventSourceArn": {"Fn::GetAtt": ["RescueQueue", "Arn"]},
        "FunctionName": {"Ref": "RefreshFunction"},
        "BatchSize": 10,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 2},
    }


def test_refresh_knows_its_own_name(template: dict[str, Any], functions: dict[str, Any]) -> None:
    """What refresh is told of itself is its name as it is given, which others get by reference."""
    assert variables_of(template, "refresh")["REFRESH_FUNCTION"] == functions["refresh"]["FunctionName"]
    assert variables_of(template, "connections")["REFRESH_FUNCTION"] == {"Ref": "RefreshFunction"}


@pytest.mark.parametrize("name", ["InstallChanges", "ConnectionChanges"])
def test_no_record_of_a_stream_holds_up_those_behind_it(name: str, resources: dict[str, Any]) -> None:
    """From the stream's beginning on; a batch that kills is halved, tried for hours, then passed over."""
    mapping = resources[name]["Properties"]
    assert mapping["FunctionName"] == {"Ref": "PublishFunction"}
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert 0 < mapping["MaximumRetryAttempts"] < 1000
    assert 3600 < mapping["MaximumRecordAgeInSeconds"] < 86_400
    destination = mapping["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination == {"Fn::GetAtt": ["UnreadBatchesQueue", "Arn"]}
    table = name.replace("Changes", "sTable")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [table, "StreamArn"]}
    stream = resources[table]["Properties"]["StreamSpecification"]
    assert stream == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_what_could_not_be_told_is_tried_for_a_day(resources: dict[str, Any]) -> None:
    """Every six minutes, 240 times, then it waits in the dead-letter queue; one that fails brings none back with it."""
    assert resources["UnpublishedReplay"]["Properties"] == {
        "EventSourceArn": {"Fn::GetAtt": ["UnpublishedQueue", "Arn"]},
        "FunctionName": {"Ref": "PublishFunction"},
        "BatchSize": 10,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 2},
    }
    queue = resources["UnpublishedQueue"]["Properties"]
    assert queue["VisibilityTimeout"] == 6 * TIMEOUTS["publish"]
    assert queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"] == 86_400


def test_the_filter_of_installs_lets_through_what_tells_something(resources: dict[str, Any]) -> None:
    """The ends that events are derived from, and removals: no end is left out, and no step on the way costs a call."""
    filters = resources["InstallChanges"]["Properties"]["FilterCriteria"]["Filters"]
    ends, removed = (json.loads(each["Pattern"]) for each in filters)
    assert ends == {"dynamodb": {"NewImage": {"status": {"S": list(ENDS)}}}}
    assert removed == {"eventName": ["REMOVE"]}
    assert "FilterCriteria" not in resources["ConnectionChanges"]["Properties"]
