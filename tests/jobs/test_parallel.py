"""Works side by side: in their order, with a bounded number under way, and an error where it belongs."""

import threading
from collections.abc import Iterator

import pytest

from cli.jobs.parallel import AHEAD, in_parallel


def test_results_come_in_order() -> None:
    """Whichever ends first."""
    gate = threading.Barrier(2)

    def work(number: int) -> int:
        if number < 2:
            gate.wait(30)
        return number * number

    assert list(in_parallel(work, range(20), 2)) == [number * number for number in range(20)]


def test_a_source_is_read_no_further_than_needed() -> None:
    """A million lines never lie in memory."""
    taken: list[int] = []

    def source() -> Iterator[int]:
        for number in range(10_000):
            taken.append(number)
            yield number

    results = in_parallel(lambda number: number, source(), 2)
    assert next(results) == 0
    assert len(taken) == AHEAD * 2 + 1
    results.close()
    assert len(taken) == AHEAD * 2 + 1


def test_an_error_is_raised_in_its_turn() -> None:
    """After the results before it."""

    def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    results = in_parallel(work, range(100), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
