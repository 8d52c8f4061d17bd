"""The tables and the token key: what is kept, what is sealed, and what outlives the stack."""

from datetime import timedelta
from typing import Any

import pytest

from zendesk_oauth.bootstrap.refresh_on_event import SOON_RECEIVES, SOON_SECONDS
from zendesk_oauth.models.connection import REPLACED_KEPT

TABLES = ("InstallsTable", "ConnectionsTable")
CONTEXT = "kms:EncryptionContext:"
CRYPTOGRAPHY = {
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
}


QUEUES = ("RescueQueue", "RescueDeadLetterQueue")
FOURTEEN_DAYS = 14 * 24 * 3600
INDEXES = {
    "InstallsTable": {"revocations": ("revoke_shard", "revoke_at")},
    "ConnectionsTable": {
        "keep-alive": ("keep_alive_shard", "keep_alive_at"),
        "unfinished": ("unfinished_shard", "unfinished_at"),
        "listing": ("list_shard", "connection_key"),
    },
}


@pytest.mark.parametrize("name", [*TABLES, "TokenKey", *QUEUES])
def test_what_holds_tokens_outlives_the_stack(name: str, resources: dict[str, Any]) -> None:
    """A table, the key or a rescue queue is kept when the stack goes; only one that was never used is cleared away.

    A table with deletion protection cannot be cleared away: a rollback that tried would be stuck.
    """
    assert resources[name]["DeletionPolicy"] == ("Retain" if name in TABLES else "RetainExceptOnCreate")
    assert resources[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", TABLES)
def test_tables_pay_per_request_stream_both_images_and_are_protected(
    name: str, resources: dict[str, Any]
) -> None:
    """Both tables are on demand, stream old and new images, and are protected except on throwaway stages."""
    table = resources[name]["Properties"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["IsThrowaway", False, True]}


def test_only_local_and_dev_are_throwaway(template: dict[str, Any]) -> None:
    """Any other name of a stage counts as one to protect."""
    stages = template["Conditions"]["IsThrowaway"]["Fn::Or"]
    assert [stage["Fn::Equals"] for stage in stages] == [
        [{"Ref": "Stage"}, "local"],
        [{"Ref": "Stage"}, "dev"],
    ]


@pytest.mark.parametrize(
    ("name", "key"), [("InstallsTable", "install_id"), ("ConnectionsTable", "connection_key")]
)
def test_keys_and_indexes(name: str, key: str, resources: dict[str, Any]) -> None:
    """Each table has its key and its indexes, in shards, that hold keys alone and so no tokens twice."""
    table = resources[name]["Properties"]
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    used = {key, *(attribute for pair in INDEXES[name].values() for attribute in pair)}
    assert types == {attribute: "N" if attribute.endswith("_at") else "S" for attribute in used}
    assert table["KeySchema"] == [{"AttributeName": key, "KeyType": "HASH"}]
    found = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    assert set(found) == set(INDEXES[name])
    for index, (shard, order) in INDEXES[name].items():
        keys = [(k["AttributeName"], k["KeyType"]) for k in found[index]["KeySchema"]]
        assert keys == [(shard, "HASH"), (order, "RANGE")]
        assert found[index]["Projection"] == {"ProjectionType": "KEYS_ONLY"}


@pytest.mark.parametrize("name", QUEUES)
def test_rescued_pairs_are_kept_as_long_as_can_be_and_encrypted(name: str, resources: dict[str, Any]) -> None:
    """Both queues keep a message for 14 days, SQS's own limit, encrypted at rest."""
    queue = resources[name]["Properties"]
    assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS
    assert queue["SqsManagedSseEnabled"] is True


def test_a_message_that_fails_is_replayed_for_hours_and_never_twice_at_once(
    resources: dict[str, Any], functions: dict[str, Any]
) -> None:
    """It is hidden for six times the function's limit, and put aside only after hours, with days left to mend it."""
    queue = resources["RescueQueue"]["Properties"]
    assert queue["VisibilityTimeout"] >= 6 * functions["refresh"]["Timeout"]
    redrive = queue["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["RescueDeadLetterQueue", "Arn"]}
    assert SOON_RECEIVES * SOON_SECONDS >= 3600
    later = redrive["maxReceiveCount"] - SOON_RECEIVES
    assert 6 * 3600 <= later * queue["VisibilityTimeout"] <= FOURTEEN_DAYS / 2


def test_rows_that_are_over_expire_and_connections_can_be_restored(resources: dict[str, Any]) -> None:
    """Both tables have a time to live, which connections themselves never carry; only they have backups."""
    installs, connections = (resources[name]["Properties"] for name in TABLES)
    assert installs["TimeToLiveSpecification"] == {"AttributeName": "delete_at", "Enabled": True}
    assert "PointInTimeRecoverySpecification" not in installs
    assert connections["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert connections["TimeToLiveSpecification"] == installs["TimeToLiveSpecification"]


def test_nothing_is_deleted_that_a_rescued_renewal_could_bring_back(resources: dict[str, Any]) -> None:
    """A message waits in the rescue queue and then among its dead letters; the tombstone of its pair waits longer."""
    queues = [resources[name]["Properties"] for name in ("RescueQueue", "RescueDeadLetterQueue")]
    waits = sum(queue["MessageRetentionPeriod"] for queue in queues)
    assert timedelta(seconds=waits) < REPLACED_KEPT


@pytest.mark.parametrize("name", TABLES)
def test_the_token_key_is_never_the_tables_key(name: str, resources: dict[str, Any]) -> None:
    """At rest a table is under AWS's own key, or under a key that is given, and that is not made by this stack."""
    given = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "TablesKeyArn"}}
    assert resources[name]["Properties"]["SSESpecification"] == {
        "Fn::If": ["HasTablesKey", given, {"Ref": "AWS::NoValue"}]
    }


def test_the_token_key_rotates(resources: dict[str, Any]) -> None:
    """KMS gives the token key new material each year."""
    assert resources["TokenKey"]["Properties"]["EnableKeyRotation"] is True


def test_the_token_key_demands_a_whole_context(resources: dict[str, Any]) -> None:
    """Every cryptographic call is denied to everybody unless all five parts of the context are there and ours."""
    denials = {}
    for statement in resources["TokenKey"]["Properties"]["KeyPolicy"]["Statement"]:
        if statement["Effect"] == "Deny":
            assert statement["Principal"] == {"AWS": "*"}
            assert set(statement["Action"]) == CRYPTOGRAPHY
            [(operator, test)] = statement["Condition"].items()
            [(part, value)] = test.items()
            denials[part.removeprefix(CONTEXT)] = (operator, value)
    assert denials == {
        "application": ("StringNotEquals", {"Ref": "Application"}),
        "stage": ("StringNotEquals", {"Ref": "Stage"}),
        "field": ("StringNotEquals", ["access_token", "refresh_token"]),
        "grant": ("Null", True),
        "subdomain": ("Null", True),
    }


def test_the_account_looks_after_the_token_key_and_cannot_pass_it_on(resources: dict[str, Any]) -> None:
    """The account can administer the key (or it would be lost), seal and open, but not encrypt directly or grant."""
    allowed: set[str] = set()
    for statement in resources["TokenKey"]["Properties"]["KeyPolicy"]["Statement"]:
        if statement["Effect"] == "Allow":
            assert statement["Principal"] == {
                "AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
            }
            allowed |= set(statement["Action"])
    assert {"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DescribeKey"} <= allowed
    assert allowed & CRYPTOGRAPHY == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert "kms:CreateGrant" not in allowed
