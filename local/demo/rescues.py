"""A step about the rescue queue: the table goes away at the one moment at which a pair could be lost."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from local.demo.later import let_pass_until, work
from local.demo.refreshes import expect_living_token, next_generation
from local.demo.scene import REFRESH_GRANT, Scene, eventually
from local.roles import changed_role

_ACCOUNT = "oscorp"
_LATE_SECONDS = 30.0


def rescued(scene: Scene) -> None:
    """Connect one more account, let Zendesk's answer come late, take the table away meanwhile, and give it back."""
    scene.connect(scene.browser(), _ACCOUNT)
    before, posts = scene.rows.connection(_ACCOUNT), scene.refreshes(_ACCOUNT)
    let_pass_until(scene, "refresh_at", _ACCOUNT)
    zendesk = scene.stack.zendesk
    zendesk.misbehave("late_answer", subdomain=_ACCOUNT, grant_type=REFRESH_GRANT, seconds=_LATE_SECONDS)
    with queue_held_back(scene), ThreadPoolExecutor(1) as pool:
        asked = pool.submit(_refresh, scene)
        eventually(lambda: scene.refreshes(_ACCOUNT) - posts, bool)
        with changed_role(scene.stack.emulator, scene.deployment, "refresh", _forbid_writing):
            scene.teller.told("demo", "takes the permission to write from refresh, as if the table were away")
            zendesk.release()
            scene.expect("outcome", asked.result()["outcome"], "rescued")
        scene.expect_row("connection", scene.rows.connection(_ACCOUNT), generation=before["generation"])
        scene.teller.told("demo", "gives it back; the queue delivers what was rescued")
    wanted = next_generation(before)
    after = eventually(
        lambda: scene.rows.connection(_ACCOUNT), lambda row: row["generation"] == wanted["generation"]
    )
    scene.expect_row("connection", after, status="active", claim_id=None, **wanted)
    scene.expect(f"refresh tokens posted to Zendesk for {_ACCOUNT}", scene.refreshes(_ACCOUNT) - posts, 1)
    expect_living_token(scene, _ACCOUNT, work(scene, _ACCOUNT))


def _refresh(scene: Scene) -> dict[str, Any]:
    event = {"grant": "default", "subdomain": _ACCOUNT, "asked": "due"}
    answer = _functions(scene).invoke(
        FunctionName=scene.deployment.function_name("refresh"), Payload=json.dumps(event)
    )
    scene.expect("status of the invocation", answer["StatusCode"], HTTPStatus.OK)
    answered: dict[str, Any] = json.load(answer["Payload"])
    return answered


@contextmanager
def queue_held_back(scene: Scene) -> Iterator[None]:
    """Let the rescue queue deliver nothing while the block runs: a replay that fails would come again much later."""
    functions, url = _functions(scene), scene.deployment.outputs["RescueQueueUrl"]
    queue = scene.stack.emulator.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = queue["Attributes"]["QueueArn"]
    (mapping,) = functions.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def _forbid_writing(statements: Mapping[str, dict[str, Any]]) -> None:
    statements["RefreshConnections"]["Action"] = ["dynamodb:GetItem"]


def _functions(scene: Scene) -> Any:  # noqa: ANN401 - an untyped client
    return scene.stack.emulator.client("lambda")
