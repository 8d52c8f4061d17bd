"""Whole tables, and jobs that are killed half-way, several times: nothing is lost, and nothing doubled."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random

from cli.jobs.import_rows import NewRow, Over
from local.zendesk.tokens import TokenPair
from tests.doubles.samples import establishment
from tests.jobs.accounts import Accounts, cells, write_lines
from tests.jobs.desk import CAMPAIGN, Desk
from tests.jobs.killing import KILLS, killed_and_resumed
from tests.processes.deployment import SEAL
from zendesk_oauth.adapters.dynamodb_rekey import DynamoDBRekeyStore
from zendesk_oauth.adapters.dynamodb_token_reader import DynamoDBTokenReader
from zendesk_oauth.adapters.kms_sealer import KmsSealer
from zendesk_oauth.adapters.kms_token_opener import KmsTokenOpener
from zendesk_oauth.models.rekey import rekey_mark
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealContext

IMPORTED = 800
RESEALED = 800
"""As many as two busy processors get done in half a minute; `make bench` does 10,000 of each."""
READERS = 2
_BETWEEN_READS = 0.01
"""Seconds: the key service of the tests lives in this process too, and the job wants it more."""


def subdomain(number: int) -> str:
    """Return the name of one of many accounts."""
    return f"account-{number}"


def test_an_import_that_is_killed_again_and_again_imports_each_line_once(
    accounts: Accounts, tmp_path: Path
) -> None:
    """Each row opens to its own line's tokens, in epoch and generation 1, and no account has two."""
    pairs = {subdomain(number): accounts.issue(subdomain(number)) for number in range(IMPORTED)}
    path = write_lines(tmp_path / "tokens.jsonl", map(cells, pairs.values()))
    *_, ended = killed_and_resumed(accounts.desk, IMPORTED, seed=1, path=str(path))
    assert sum(ended.values()) == IMPORTED
    assert set(ended) <= {"imported", "done"}
    assert ended["done"] > 0
    assert ended["imported"] > 0
    assert_imported(accounts, pairs)


def assert_imported(accounts: Accounts, pairs: dict[str, TokenPair]) -> None:
    """See that each account has exactly one connection, with its own pair, as it was first written."""
    rows = accounts.rows()
    assert rows.keys() == {f"default#{name}" for name in pairs}
    assert {(row["epoch"]["N"], row["generation"]["N"]) for row in rows.values()} == {("1", "1")}
    assert {row["status"]["S"] for row in rows.values()} == {"active"}
    assert len({row["install_id"]["S"] for row in rows.values()}) == len(pairs)
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda name: accounts.holds(pairs[name], name), pairs))


def test_a_rekey_that_is_killed_again_and_again_seals_each_row_and_disturbs_no_reader(desk: Desk) -> None:
    """Each row opens to its own tokens under keys of the campaign, in the version that it had; no read ever fails."""
    seed_rows(desk, RESEALED)
    before = Accounts(None, desk).rows()  # type: ignore[arg-type]  # nobody asks Zendesk here
    with reading(desk, RESEALED) as (reads, failures):
        *_, ended = killed_and_resumed(desk, RESEALED, seed=2)
    assert failures == []
    assert reads["reads"] > KILLS * READERS
    assert ended["is_whole"]
    assert set(ended["rows"]) == {"done", "resealed"}
    assert sum(ended["rows"].values()) == RESEALED
    after = Accounts(None, desk).rows()  # type: ignore[arg-type]
    assert_resealed(desk, before, after)


def seed_rows(desk: Desk, number: int) -> None:
    """Put so many connections into the table, each with tokens that name it."""
    sealer, now = KmsSealer(desk.client("kms"), SEAL), desk.clock.now()

    def put(place: int) -> None:
        name = Subdomain(subdomain(place))
        keys = sealer.prepare(SealContext("default", name))
        sealed = keys.seal(Secret(f"access of {name}"), Secret(f"refresh of {name}"), f"commit-{place}")
        made = establishment()
        row = type(made)(
            **{each: getattr(made, each) for each in made.__slots__} | {"subdomain": name, "sealed": sealed}
        )
        assert desk.import_ports.rows.write(NewRow(row, "I" * 22, Over.NOTHING, None), now)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(number)))


@contextmanager
def reading(desk: Desk, rows: int) -> Iterator[tuple[Counter[str], list[str]]]:
    """Read tokens all the while, as cold and as warm workers do, and give how many, and what went wrong."""
    reads: Counter[str] = Counter()
    failures: list[str] = []
    over = threading.Event()

    def read(seed: int) -> None:
        random = Random(seed)  # noqa: S311 - no secret
        reader = DynamoDBTokenReader(desk.dynamodb, desk.addresses.table)
        opener = KmsTokenOpener(desk.client("kms"), SEAL)
        while not over.wait(_BETWEEN_READS):
            name = Subdomain(subdomain(random.randrange(rows)))
            try:
                stored = reader.find("default", name, consistent=random.random() < 0.5)
                assert stored is not None
                assert opener.open(stored).reveal() == f"access of {name}"
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                failures.append(repr(error))
            reads["reads"] += 1

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield reads, failures
    finally:
        over.set()
        for thread in threads:
            thread.join()


def assert_resealed(
    desk: Desk, before: dict[str, dict[str, object]], after: dict[str, dict[str, object]]
) -> None:
    """See that each row is what it was, but for its seals, and opens to its own tokens."""
    sealed = {"access_token", "access_token_key", "refresh_token", "refresh_token_key", "rekeyed"}
    assert after.keys() == before.keys()
    for key, row in after.items():
        assert {name for name in row if row[name] != before[key].get(name)} == sealed
    store = DynamoDBRekeyStore(desk.dynamodb, desk.addresses.table)

    def is_right(key: str) -> bool:
        name = Subdomain(key.partition("#")[2])
        row = store.find_sealed("default", name)
        assert row is not None
        pair = desk.keyring.unlock(row.connection.context, row.connection.living_pair)
        tokens = (pair.access_token.reveal(), pair.refresh_token.reveal())
        is_marked = row.mark == rekey_mark(CAMPAIGN, row.connection.living_pair)
        return is_marked and tokens == (f"access of {name}", f"refresh of {name}")

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(is_right, after))
