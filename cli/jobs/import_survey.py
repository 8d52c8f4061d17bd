"""A first look through a file of tokens: how many lines it has, and which accounts stand on several of them.

Of two lines for one connection nobody knows which one lives, and whichever came last would win by chance; so neither
is imported, and both are told. Eight bytes are kept of each line, so a million take eight megabytes.
"""

import hashlib
from array import array
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from cli.jobs.import_line import BadLine, Line

REPEATED = "another line is for the same grant and subdomain"
_BYTES = 8


class Survey(NamedTuple):
    """How many lines there are, and a digest of each connection that several are for."""

    lines: int
    repeated: frozenset[int]

    def judge(self, line: Line | BadLine) -> Line | BadLine:
        """Return the line, or what is wrong with it among the others."""
        if isinstance(line, Line) and self.repeated and _digest(line) in self.repeated:
            return BadLine(line.number, REPEATED, line.grant, line.subdomain)
        return line


def survey(lines: Iterable[Line | BadLine]) -> Survey:
    """Look through the file."""
    digests, bad = array("Q"), 0
    for line in lines:
        if isinstance(line, Line):
            digests.append(_digest(line))
        else:
            bad += 1
    repeated = frozenset(one for one, next_one in pairwise(sorted(digests)) if one == next_one)
    return Survey(len(digests) + bad, repeated)


def _digest(line: Line) -> int:
    return int.from_bytes(hashlib.blake2b(line.key.encode(), digest_size=_BYTES).digest())
