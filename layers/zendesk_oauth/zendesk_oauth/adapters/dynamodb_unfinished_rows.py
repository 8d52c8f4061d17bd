"""What is written to a connection's row on the way to its end: superseded pairs kept and erased, and the index of both.

A row stands in the index while it is being disconnected or holds a superseded pair. It leaves it by one conditional
write alone, so that nothing that comes in between is forgotten.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from zendesk_oauth.adapters.dynamodb_attributes import (
    LOSS,
    MAY_HAVE_LOST,
    SUPERSEDED,
    instant,
    number,
    superseded_name,
    text,
    text_set,
)
from zendesk_oauth.adapters.dynamodb_connection_attributes import superseded_attributes
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate
from zendesk_oauth.models.connection import ConnectionStatus, keep_alive_shard
from zendesk_oauth.models.refresh import Superseded

_ROW_EXISTS = "attribute_exists(#connection_key)"
_UNFINISHED = "attribute_exists(#unfinished_shard)"
_NOT_DISCONNECTING = "#status <> :disconnecting"
_NOTHING_SUPERSEDED = "attribute_not_exists(#superseded_commits)"

CONDITIONS: Mapping[str, dict[str, str]] = {
    "keep superseded": {"row exists": _ROW_EXISTS},
    "forget superseded": {"row exists": _ROW_EXISTS},
    "postpone": {"unfinished": _UNFINISHED},
    "finish": {
        "row exists": _ROW_EXISTS,
        "not disconnecting": _NOT_DISCONNECTING,
        "nothing superseded": _NOTHING_SUPERSEDED,
    },
}
"""Every condition of every write; without the row's own existence, they would make a row of nothing."""
_DUE_AT_ONCE = number(0)
"""Earlier than any instant: whoever keeps a pair wants it looked after now."""


def keep_superseded_update(key: str, superseded: Superseded) -> ConditionalUpdate:
    """Return the write that keeps a pair under its own commit id, due at once."""
    commit_id = superseded.sealed.commit_id
    kept = superseded_attributes(superseded)
    return ConditionalUpdate(
        conditions=_conditions("keep superseded"),
        assigned={
            "unfinished_shard": text(keep_alive_shard(key)),
            "unfinished_at": _DUE_AT_ONCE,
            **{f"superseded_{name}": value for name, value in kept.items()},
        },
        names={f"superseded_{name}": superseded_name(name, commit_id) for name in kept},
        added={"superseded_commits": text_set(commit_id)},
    )


def forget_superseded_update(put_by: Iterable[str]) -> ConditionalUpdate:
    """Return the write that erases what these commits put there. Never call it with none."""
    commits = tuple(put_by)
    names = {
        f"{name}_{place}": superseded_name(name, commit_id)
        for place, commit_id in enumerate(commits)
        for name in (*SUPERSEDED, *LOSS, MAY_HAVE_LOST)
    }
    return ConditionalUpdate(
        conditions=_conditions("forget superseded"),
        assigned={},
        removed=tuple(names),
        names=names,
        deleted={"superseded_commits": text_set(*commits)},
    )


def postpone_update(until: datetime) -> ConditionalUpdate:
    """Return the write that leaves an unfinished connection alone until then."""
    return ConditionalUpdate(conditions=_conditions("postpone"), assigned={"unfinished_at": instant(until)})


def finish_update() -> ConditionalUpdate:
    """Return the write that takes a connection out of the unfinished ones."""
    return ConditionalUpdate(
        conditions=_conditions("finish"),
        assigned={},
        removed=("unfinished_shard", "unfinished_at"),
        values={":disconnecting": text(ConnectionStatus.DISCONNECTING)},
    )


def _conditions(write: str) -> tuple[str, ...]:
    return tuple(CONDITIONS[write].values())
