"""Many small works side by side, with their results in order and never more under way than can be told."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

PARALLEL = 4
MOST_PARALLEL = 10
"""As many as one client of the SDK has connections."""
AHEAD = 4
"""How many works wait for each that is under way: so much lies in memory, however long the whole is."""


def in_parallel[A, B](work: Callable[[A], B], items: Iterable[A], threads: int) -> Generator[B]:
    """Yield what `work` makes of each item, in the order of the items.

    An item is taken when there is room for it, so an endless source is read no faster than it is worked off. What
    `work` raises is raised here, in its turn; what is under way then still ends.
    """
    with ThreadPoolExecutor(threads) as pool:
        under_way: deque[Future[B]] = deque()
        try:
            for item in items:
                under_way.append(pool.submit(work, item))
                if len(under_way) > AHEAD * threads:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()
