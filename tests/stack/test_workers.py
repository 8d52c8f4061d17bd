"""Workers on the built layers, with the deployment's own policy, and what a refresh leaves for them."""

from http import HTTPStatus
from secrets import token_bytes

from local.demo.later import let_pass_until, tick
from local.demo.scene import Scene, eventually
from local.deployment import STAGE
from local.stack import OPEN, LocalStack
from local.workers import Work, digest_of
from tests.adapters_at_standin.deployment import LIFETIMES
from tests.doubles.scripted import ScriptedClientSecret
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.adapters.kms_keyring import KmsKeyring
from zendesk_oauth.adapters.sqs_rescue import SqsRescueQueue
from zendesk_oauth.adapters.zendesk_api import ZendeskHttpApi
from zendesk_oauth.adapters.zendesk_tokens import AuthlibTokenEndpoint
from zendesk_oauth.errors import StoreUnavailableError
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.refresh import Connection, RefreshOutcome, RefreshQuestion, Renewal
from zendesk_oauth.models.subdomain import parse_subdomain
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.refresh_ports import RefreshPorts
from zendesk_oauth.settings import SealSettings

FUNCTION_SECONDS = 58.0


class HastyClock(SystemClock):
    """A clock whose waits take no time and let some pass: what is tried until the end is tried a few times."""

    def __init__(self) -> None:
        self.waited = 0.0

    def monotonic(self) -> float:
        """Return seconds, with those that were not waited."""
        return super().monotonic() + self.waited

    def sleep(self, seconds: float) -> None:
        """Let twenty seconds pass."""
        del seconds
        self.waited += 20


class StoreWithoutCommits(DynamoDBRefreshStore):
    """The table, which is down whenever a new pair is to be written."""

    def commit(
        self, renewal: Renewal, *, disconnecting: bool = False, over_verdict: bool = False
    ) -> Connection | None:
        """Take nothing."""
        raise StoreUnavailableError(f"down for {renewal.subdomain}, {disconnecting=}, {over_verdict=}")


def ports_without_commits(stack: LocalStack) -> RefreshPorts:
    """Return what `refresh` is made of, on the deployment's table, key and queue, while no commit is taken."""
    deployment, clock = stack.deployments[OPEN], HastyClock()
    outputs, endpoints = deployment.outputs, Endpoints(stack.zendesk.base_url, "")
    secret = ScriptedClientSecret(stack.zendesk.settings.client_secret)
    seal = SealSettings(deployment.order.application, STAGE, outputs["TokenKeyArn"])
    client_id = deployment.order.client_id
    return RefreshPorts(
        store=StoreWithoutCommits(stack.emulator.client("dynamodb"), outputs["ConnectionsTableName"]),
        keyring=KmsKeyring(stack.emulator.client("kms"), seal),
        token_endpoint=AuthlibTokenEndpoint(client_id, secret, endpoints, LIFETIMES, clock),
        api=ZendeskHttpApi(endpoints, clock),
        rescue=SqsRescueQueue(stack.emulator.client("sqs"), outputs["RescueQueueUrl"]),
        clock=clock,
        entropy=token_bytes,
    )


def living_digest(stack: LocalStack, subdomain: str) -> str:
    """Return what workers say of the one token of an account that lives."""
    [pair] = stack.zendesk.alive(subdomain)
    return digest_of(pair.access_token)


def test_a_rescued_pair_comes_back_through_the_queue(stack: LocalStack, open_mode: Scene) -> None:
    """Zendesk rotated while the table was down: the queue wakes refresh, and workers have that pair."""
    open_mode.connect(open_mode.browser(), "rescue")
    let_pass_until(open_mode, "refresh_at", "rescue")
    ports = ports_without_commits(stack)
    question = RefreshQuestion("default", parse_subdomain("rescue"))
    answer = RefreshConnection(ports)(question, ports.clock.monotonic() + FUNCTION_SECONDS)
    assert answer.outcome is RefreshOutcome.RESCUED
    row = eventually(lambda: open_mode.rows.connection("rescue"), lambda row: row["generation"] == 2)
    assert (row["status"], row["epoch"], row["generation"], row.get("claim_id")) == ("active", 1, 2, None)
    digest = living_digest(stack, "rescue")
    assert stack.workers.call_zendesk("rescue") == [Work(digest, 2, (HTTPStatus.OK,))]
    assert open_mode.refreshes("rescue") == 1


def test_a_401_is_looked_into_and_the_call_made_again(stack: LocalStack, open_mode: Scene) -> None:
    """A token that Zendesk ended before its time is refreshed because a worker says so, and the second call works."""
    open_mode.connect(open_mode.browser(), "pendant")
    open_mode.rows.let_pass(120, "pendant")
    [pair] = stack.zendesk.alive("pendant")
    pair.access_ends_at = stack.zendesk.clock()
    [met] = stack.workers.call_zendesk("pendant")
    assert met.statuses == (HTTPStatus.UNAUTHORIZED, HTTPStatus.OK)
    assert (met.digest, met.generation) == (living_digest(stack, "pendant"), 2)
    assert open_mode.refreshes("pendant") == 1


def test_workers_who_begin_at_once_share_one_refresh(stack: LocalStack, open_mode: Scene) -> None:
    """Three containers with two workers each meet a token that is over: one refresh, and one token for all of them."""
    open_mode.connect(open_mode.browser(), "crowd")
    let_pass_until(open_mode, "expires_at", "crowd")
    met = stack.workers.call_zendesk("crowd", containers=3, threads=2)
    assert met == [Work(living_digest(stack, "crowd"), 2, (HTTPStatus.OK,))] * 6
    assert open_mode.refreshes("crowd") == 1


def test_what_a_reinstall_replaced_is_revoked_by_the_schedule(stack: LocalStack, open_mode: Scene) -> None:
    """The event of the schedule is enough: the older token dies, the newer lives, the row forgets the older."""
    for _ in range(2):
        open_mode.connect(open_mode.browser(), "twice")
    newest = stack.zendesk.alive("twice")[-1]
    tick(open_mode, "unfinished")
    row = eventually(lambda: open_mode.rows.connection("twice"), lambda row: "unfinished_at" not in row)
    assert [name for name in row if name.startswith("unfinished")] == []
    assert stack.zendesk.alive("twice") == [newest]
    assert open_mode.teller.unexpected == []


def test_a_worker_is_told_where_to_connect(stack: LocalStack) -> None:
    """Who asks for an account that never connected gets no token, but the address of the button for it."""
    start_url = stack.deployments[OPEN].outputs["StartUrl"]
    assert stack.workers.call_zendesk("never-seen") == [
        Work(
            error="reconnect_required",
            reason="not_connected",
            reconnect_url=f"{start_url}?subdomain=never-seen&grant=default",
        )
    ]
