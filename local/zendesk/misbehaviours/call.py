"""What a misbehaviour is given: the request, and the means to do what should be done.

The rule: the work is done at most once, and only the misbehaviour knows when.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Response

from local.zendesk.clock import Pause
from local.zendesk.tokens import Tokens


@dataclass(frozen=True)
class Call:
    """A request that is going to be answered badly; `work` does what should be done and returns the good answer."""

    work: Callable[[], Response]
    fields: Mapping[str, str]
    now: Callable[[], float]
    pause: Pause
    tokens: Tokens
    elsewhere: str

    def work_if(self, worked: bool) -> None:  # noqa: FBT001  # reads as a sentence
        """Do the work, if the misbehaviour comes after it."""
        if worked:
            self.work()


def as_json(body: object, status: int = 200) -> Response:
    """Return `body` as a JSON answer."""
    return Response(json.dumps(body), status, content_type="application/json")
