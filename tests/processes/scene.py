"""A connection in its surroundings: real rows, real HTTP, one time for all, and what can be seen of it from outside."""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from local.zendesk.lifetimes import Lifetimes
from local.zendesk.standin import StandIn
from local.zendesk.tokens import TokenPair
from tests.doubles.samples import BROWSER, STATE, allowed, establishment, pending
from tests.dynamodb_local import Tables
from tests.flow.wire import Wire
from tests.processes.aws import LoopbackAws
from tests.processes.clock import SharedClock
from tests.processes.deployment import ACCESS_LIFE, REFRESH_LIFE, SEAL, Addresses, Clients, refresh_ports
from zendesk_oauth.adapters.dynamodb_connections import DynamoDBConnectionStore
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore
from zendesk_oauth.adapters.kms_sealer import KmsSealer
from zendesk_oauth.models.connection import SHARDS, connection_key, token_times
from zendesk_oauth.models.install import PENDING_LIFE
from zendesk_oauth.models.refresh import (
    REPLAY_ROUND,
    Asked,
    Connection,
    DueConnection,
    RefreshAnswer,
    RefreshQuestion,
    Version,
)
from zendesk_oauth.models.secret import Secret, base64url, fingerprint
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import IssuedTokens, SealContext
from zendesk_oauth.ports import Proof
from zendesk_oauth.ports.refresh import UnlockedPair
from zendesk_oauth.services.disconnect_connection import (
    DisconnectAnswer,
    DisconnectConnection,
    DisconnectOutcome,
)
from zendesk_oauth.services.finish_connection import FinishConnection
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.refresh_ports import RefreshPorts

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

GRANT = "default"
FUNCTION_SECONDS = 58.0
CLAIM_OVER = 71.0
CLAIM_REPLAYED = CLAIM_OVER + REPLAY_ROUND.total_seconds()
"""After so many seconds a claim is over: it lives for 70."""
REPLAYED = 106.0
"""After so many seconds the rescue queue has had its time as well, and a refresh token may be posted again."""
DUE = (ACCESS_LIFE - timedelta(minutes=9)).total_seconds()
"""A token of that age is due for refresh, and lives long enough for Zendesk to say something of it."""
OVER = (ACCESS_LIFE + timedelta(seconds=1)).total_seconds()

type Row = dict[str, Any]


@dataclass
class Scene:
    """One table, one Zendesk, one clock; `ports` are those of a warm container in this process."""

    dynamodb: "DynamoDBClient"
    tables: Tables
    zendesk: StandIn
    aws: LoopbackAws
    clock: SharedClock
    clients: Clients
    wire: Wire

    def __post_init__(self) -> None:
        self.ports = self.cold()

    @property
    def addresses(self) -> Addresses:
        """Where a process finds all this."""
        return Addresses(self.tables.connections, self.zendesk.base_url, self.aws.queue_url, self.clock.path)

    def cold(self, clock: SharedClock | None = None, **addresses: Any) -> RefreshPorts:
        """Return the ports of a new container, with a clock or addresses of its own."""
        return refresh_ports(replace(self.addresses, **addresses), self.clients, clock or self.clock)

    # -- what happens --

    def pass_time(self, seconds: float) -> None:
        """Let time pass for everybody."""
        self.clock.advance(seconds)
        self.zendesk.clock.advance(seconds)

    def connect(self, subdomain: str = "acme") -> None:
        """Install: Zendesk issues a pair, and the callback's transaction keeps it, over whatever was there."""
        pair = self._issue(subdomain)
        install_id = self._exchanging(subdomain)
        issued = IssuedTokens(
            Secret(pair.access_token), Secret(pair.refresh_token), ("users:read",), ACCESS_LIFE, REFRESH_LIFE
        )
        context, now = SealContext(GRANT, Subdomain(subdomain)), self.clock.now()
        keys = KmsSealer(self.clients.kms, SEAL).prepare(context)
        made = replace(
            establishment(),
            subdomain=context.subdomain,
            sealed=keys.seal(issued.access_token, issued.refresh_token, base64url(secrets.token_bytes(16))),
            times=token_times(issued, now, 0.5),
            established_at=now,
        )
        store = DynamoDBConnectionStore(self.dynamodb, self.tables.installs, self.tables.connections)
        store.establish(made, install_id, now)

    def _issue(self, subdomain: str) -> TokenPair:
        account = self.zendesk.accounts.get(subdomain)
        lifetimes = Lifetimes(int(ACCESS_LIFE.total_seconds()), int(REFRESH_LIFE.total_seconds()))
        return self.zendesk.tokens.issue(account, account.people["admin"], "users:read", lifetimes)

    def _exchanging(self, subdomain: str) -> str:
        """Return the id of an install whose code is being exchanged."""
        install_id, now = base64url(secrets.token_bytes(16)), self.clock.now()
        begun = replace(
            pending(),
            install_id=install_id,
            subdomain=Subdomain(subdomain),
            created_at=now,
            expires_at=now + PENDING_LIFE,
        )
        installs = DynamoDBInstallStore(self.dynamodb, self.tables.installs)
        installs.put_if_absent(begun)
        proof = Proof(install_id, STATE.fingerprint, fingerprint(BROWSER))
        assert installs.consume(proof, allowed(), now).made
        return install_id

    def ask(
        self,
        asked: Asked = Asked.DUE,
        seen: Version | None = None,
        *,
        subdomain: str = "acme",
        ports: RefreshPorts | None = None,
    ) -> RefreshAnswer:
        """Ask for a refresh, as a worker or a schedule does."""
        question = RefreshQuestion(GRANT, Subdomain(subdomain), asked, seen)
        return RefreshConnection(ports or self.ports)(question, self.clock.monotonic() + FUNCTION_SECONDS)

    def disconnect(self, ports: RefreshPorts | None = None) -> DisconnectAnswer:
        """Mark the connection's end, as the company wishes, and look after it."""
        ports = ports or self.ports
        connection = ports.store.find(GRANT, Subdomain("acme"))
        assert connection is not None
        marked = ports.store.mark_disconnecting(connection, self.clock.now())
        if marked is None:
            return DisconnectAnswer(DisconnectOutcome.REPLACED)
        return DisconnectConnection(ports)(marked, self.clock.monotonic() + FUNCTION_SECONDS)

    def retire(self) -> int:
        """Revoke what was replaced, as the schedule does; return how many pairs are left."""
        finish = FinishConnection(self.ports)
        for due in self._unfinished():
            until = self.clock.monotonic() + FUNCTION_SECONDS
            finish(due.grant, due.subdomain, until, due.replaced)
        return len(self._unfinished())

    def _unfinished(self) -> list[DueConnection]:
        """Return all that is being disconnected, due or not."""
        later = self.clock.now() + timedelta(days=1)
        return [due for shard in SHARDS for due in self.ports.store.unfinished(shard, later)]

    # -- what can be seen --

    def connection(self, subdomain: str = "acme") -> Connection:
        """Return the row, as the services see it."""
        found = self.ports.store.find(GRANT, Subdomain(subdomain))
        assert found is not None
        return found

    def row(self, subdomain: str = "acme") -> Row:
        """Return the row, raw."""
        key = {"connection_key": {"S": connection_key(GRANT, Subdomain(subdomain))}}
        found = self.dynamodb.get_item(TableName=self.tables.connections, Key=key, ConsistentRead=True)
        return dict(found["Item"])

    def put_row(self, row: Row) -> None:
        """Write a row back, as a restored backup would."""
        self.dynamodb.put_item(TableName=self.tables.connections, Item=row)

    def stored_pair(self, subdomain: str = "acme") -> UnlockedPair:
        """Open the row's pair."""
        connection = self.connection(subdomain)
        return self.ports.keyring.unlock(connection.context, connection.living_pair)

    @property
    def posts(self) -> int:
        """How many refreshes the token endpoint was asked for."""
        return self.zendesk.seen.count("refresh_token")

    def alive(self, subdomain: str = "acme") -> list[str]:
        """Return the access tokens of the pairs alive at Zendesk."""
        return [pair.access_token for pair in self.zendesk.alive(subdomain)]

    def is_whole(self, generation: int, subdomain: str = "acme") -> bool:
        """Tell whether the row is active, of that generation, and holds both tokens of the one pair alive."""
        connection, stored = self.connection(subdomain), self.stored_pair(subdomain)
        (pair,) = self.zendesk.alive(subdomain)
        return (
            connection.is_active
            and connection.version.generation == generation
            and stored.access_token.reveal() == pair.access_token
            and stored.refresh_token.reveal() == pair.refresh_token
        )
