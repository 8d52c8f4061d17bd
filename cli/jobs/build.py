"""Build each job for a deployment, on clients of the account that it is in."""

from secrets import token_bytes
from typing import NamedTuple

from cli.jobs.asking_refresh import AskRekey
from cli.jobs.check_token import CheckToken
from cli.jobs.import_rows import ImportRows
from cli.jobs.import_tokens import REFRESH_SECONDS, ImportPorts, ImportTokens
from cli.jobs.listing import ConnectionListing
from cli.jobs.parallel import PARALLEL
from cli.jobs.polite_accounts import PoliteAccounts
from cli.jobs.progress import Progress
from cli.jobs.rekey_table import RekeyTable
from cli.jobs.restore_rows import RestoreRows
from cli.jobs.restore_table import RestoreTable
from cli.stack import Stack
from deployed.account import Account
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.kms_sealer import KmsSealer
from zendesk_oauth.adapters.lambda_refresher import Awaiting, LambdaRefresher
from zendesk_oauth.adapters.zendesk_api import ZendeskHttpApi


class HowToImport(NamedTuple):
    """What the operator says of an import."""

    parallel: int = PARALLEL
    replace: bool = False
    dry_run: bool = False


class HowToRestore(NamedTuple):
    """What the operator says of a restore."""

    raised_by: int
    parallel: int = PARALLEL
    over_newer: bool = False
    dry_run: bool = False


def rekey_of(
    account: Account, stack: Stack, campaign: str, progress: Progress, parallel: int = PARALLEL
) -> RekeyTable:
    """Return the job that seals everything anew."""
    # One invocation each: a second could meet the first still at work.
    client = account.client("lambda", read_seconds=REFRESH_SECONDS, attempts=1)
    return RekeyTable(
        listing=ConnectionListing(account.client("dynamodb"), stack.table),
        rekey=AskRekey(LambdaRefresher(client, stack.refresh_function), campaign),
        clock=SystemClock(),
        progress=progress,
        parallel=parallel,
    )


def import_of(account: Account, stack: Stack, how: HowToImport) -> ImportTokens:
    """Return the job that brings tokens in."""
    clock = SystemClock()
    waiting = account.client("lambda", read_seconds=REFRESH_SECONDS, attempts=1)
    api = ZendeskHttpApi(stack.endpoints, clock)
    ports = ImportPorts(
        rows=ImportRows(account.client("dynamodb"), stack.table, clock.sleep),
        check=CheckToken(api, PoliteAccounts(clock), clock, stack.required_roles),
        sealer=KmsSealer(account.client("kms"), stack.seal),
        refresher=LambdaRefresher(waiting, stack.refresh_function, Awaiting(waiting, REFRESH_SECONDS)),
        clock=clock,
        entropy=token_bytes,
    )
    return ImportTokens(ports, stack.grants, how.parallel, how.replace, how.dry_run)


def restore_of(account: Account, stack: Stack, backup_table: str, how: HowToRestore) -> RestoreTable:
    """Return the job that brings rows back."""
    clock = SystemClock()
    rows = RestoreRows(account.client("dynamodb"), backup_table, stack.table, clock.sleep)
    return RestoreTable(
        rows=rows,
        clock=clock,
        raised_by=how.raised_by,
        parallel=how.parallel,
        over_newer=how.over_newer,
        dry_run=how.dry_run,
    )
