"""Watches the lines of the package as they run, and raises at one of them; shows what every model would print there.

The rule: only the package is watched; a line outside it is switched off the first time it is met.
"""

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from types import CodeType, FrameType

import zendesk_oauth

_TOOL = 4
_ROOT = str(zendesk_oauth.__path__[0])
_PACKAGE = zendesk_oauth.__name__

type Line = tuple[str, int]
"""A file of the package, and a line in it."""


class InjectedError(RuntimeError):
    """What is raised at a line."""


class Watch:
    """Notes each line of the package that runs; at `target` it keeps what would be printed there and raises, once."""

    def __init__(self, target: Line | None = None) -> None:
        self._target = target
        self.lines: dict[Line, None] = {}
        self.printed: list[str] = []
        self.fired = False

    def on_line(self, code: CodeType, number: int) -> object:
        """Take a line that is about to run."""
        if not code.co_filename.startswith(_ROOT):
            return sys.monitoring.DISABLE
        line = code.co_filename, number
        if self._target is None:
            if line not in self.lines:
                self.lines[line] = None
                self.printed.extend(_printed(sys._getframe(1)))
        elif line == self._target and not self.fired:
            self.fired = True
            self.printed.extend(_printed(sys._getframe(1)))
            raise InjectedError("a line has failed")
        return None


def watched[Result](watch: Watch, do: Callable[[], Result]) -> Result:
    """Do it under the watch; raises what it raises.

    In a thread of its own: an error out of a line's own event can leave CPython handling another one for ever.
    """
    with _watching(watch), ThreadPoolExecutor(1) as thread:
        return thread.submit(do).result()


@contextmanager
def _watching(watch: Watch) -> Iterator[None]:
    """Watch while the block runs, in all threads."""
    monitoring = sys.monitoring
    monitoring.use_tool_id(_TOOL, "canary")
    monitoring.register_callback(_TOOL, monitoring.events.LINE, watch.on_line)
    monitoring.set_events(_TOOL, monitoring.events.LINE)
    try:
        yield
    finally:
        monitoring.set_events(_TOOL, monitoring.events.NO_EVENTS)
        monitoring.register_callback(_TOOL, monitoring.events.LINE, None)
        monitoring.free_tool_id(_TOOL)


def import_everything() -> None:
    """Import each module of the package, so that no line of an import is taken for one of a request."""
    for module in pkgutil.walk_packages(zendesk_oauth.__path__, f"{_PACKAGE}."):
        importlib.import_module(module.name)


def forget_what_is_cached() -> None:
    """Empty the package's caches, so that what runs once in a container runs again."""
    for name, module in list(sys.modules.items()):
        if name.startswith(_PACKAGE):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def _printed(frame: FrameType | None) -> Iterator[str]:
    """Yield repr and str of every model and error that this frame and those of the package around it hold."""
    seen: set[int] = set()
    while frame is not None:
        if frame.f_code.co_filename.startswith(_ROOT):
            for value in frame.f_locals.values():
                if id(value) not in seen and _is_ours(value):
                    seen.add(id(value))
                    with suppress(AttributeError):  # not wholly made yet
                        yield f"{value!r} {value!s}"
        frame = frame.f_back


def _is_ours(value: object) -> bool:
    """Tell whether this is a model or an error; HTML is a text, and is searched as the answer that it becomes."""
    is_model = type(value).__module__.startswith(_PACKAGE) and not isinstance(value, str)
    return is_model or isinstance(value, Exception)
