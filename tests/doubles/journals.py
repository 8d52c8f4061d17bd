"""A journal whose lines and counts are kept, to be looked at."""

import json
from collections.abc import Callable
from functools import cached_property
from itertools import count
from typing import Any

import pytest

from zendesk_oauth.observability import Journal

_NUMBERS = count()


def name_service(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    """Give the next journal a service's name of its own: Powertools keeps a logger by that name."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"{function}-observed-{next(_NUMBERS)}")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "zendesk-oauth/tests")


class Kept[J: Journal]:
    """A journal and what it has written; made when first used, since a logger keeps the stream it finds then."""

    def __init__(self, build: Callable[[], J], capsys: pytest.CaptureFixture[str]) -> None:
        self._build = build
        self._capsys = capsys

    @cached_property
    def journal(self) -> J:
        """The journal."""
        return self._build()

    def lines(self) -> list[dict[str, Any]]:
        """Return the log lines and the counts since the last look, each count as its name, dimensions and value."""
        return [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]

    def told(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return the log lines, and the counts by `Name` or `Name dimension`: of several alike, their sum."""
        written = self.lines()
        counts: dict[str, Any] = {}
        for metric in (line for line in written if "_aws" in line):
            (directive,) = metric["_aws"]["CloudWatchMetrics"]
            dimensions = [name for name in directive["Dimensions"][0] if name != "service"]
            name = directive["Metrics"][0]["Name"]
            full = " ".join([name, *(metric[dimension] for dimension in dimensions)])
            counts[full] = counts.get(full, 0) + metric[name][0]
        return [line for line in written if "_aws" not in line], counts
