"""Answers that are lost, cut, late, or never end.

The rule: every wait ends when it is released, and when the server goes down.
"""

from collections.abc import Iterator

from flask import Response

from local.zendesk import wire
from local.zendesk.clock import Pause
from local.zendesk.misbehaviours.call import Call

_LENGTH = 1_000_000


def lost(call: Call, *, worked: bool = True) -> Response:
    """Close the connection without an answer, after the work or instead of it."""
    call.work_if(worked)
    return wire.lost()


def cut_body(call: Call) -> Response:
    """Send half of a good answer."""
    return wire.cut(call.work().get_data())


def dripping_body(call: Call, *, every: float = 0.5, worked: bool = True) -> Response:
    """Send a body a byte at a time, `every` so many seconds."""
    call.work_if(worked)
    return wire.RawAnswer(_drip(call.pause, wire.HEAD % _LENGTH, b" ", every))


def dripping_headers(call: Call, *, every: float = 0.5, worked: bool = True) -> Response:
    """Send headers that never end, one `every` so many seconds."""
    call.work_if(worked)
    return wire.RawAnswer(_drip(call.pause, b"HTTP/1.1 200 OK\r\n", b"X-More: to come\r\n", every))


def _drip(pause: Pause, first: bytes, again: bytes, every: float) -> Iterator[bytes]:
    yield first
    while not pause.wait(every):
        yield again


def late_answer(call: Call, *, seconds: float = 1.0) -> Response:
    """Do the work at once and send its answer late."""
    good = call.work()
    call.pause.wait(seconds)
    return good


def late_work(call: Call, *, seconds: float = 1.0) -> Response:
    """Do the work late and send its answer then."""
    call.pause.wait(seconds)
    return call.work()
