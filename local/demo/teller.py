"""Tells the demo on a console: titles, what was sent and what came back, expectations with a mark.

The rule: every text passes the redaction on its way out; nothing else in the demo prints.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from local.demo.redaction import shown_cookie, shown_text, shown_url

_WHO = 11


@dataclass(slots=True)
class Teller:
    """Prints, and keeps what was not as expected."""

    console: Console
    unexpected: list[str] = field(default_factory=list)

    def title(self, number: int, title: str, why: str) -> None:
        """Begin a step."""
        self.console.print()
        self.console.print(Rule(Text(f"{number}  {title}", "bold"), align="left", style="dim"))
        self.console.print(Text(f"   {why}", "italic dim"))

    def sent(self, who: str, method: str, url: str, cookies: tuple[str, ...] = ()) -> None:
        """Show a request: cookies by name only."""
        text = Text.assemble((f"{method} ", "bold"), shown_url(url))
        if cookies:
            text.append(f"  Cookie: {', '.join(cookies)}", "dim")
        self._line(who, "→", text)

    def received(
        self, status: int, location: str = "", cookies: tuple[str, ...] = (), page: str = ""
    ) -> None:
        """Show an answer: a page by its heading, cookies without their values."""
        text = Text(str(int(status)), "bold")
        if location:
            text.append(f"  Location: {shown_url(location)}", "not bold")
        if page:
            text.append(f"  “{shown_text(page)}”", "not bold")
        self._line("", "←", text)
        for header in cookies:
            self._line("", "", Text(f"Set-Cookie: {shown_cookie(header)}", "dim"))

    def told(self, who: str, what: str, mark: str = "·") -> None:
        """Show something that is no request of a browser."""
        self._line(who, mark, Text(shown_text(what)))

    def expected(self, what: str, *, seen: object, wanted: object) -> bool:
        """Mark whether what was seen is what was wanted, and keep it where it is not."""
        fits = seen == wanted
        line = f"{what}: {_plain(seen)}" if fits else f"{what}: saw {_plain(seen)}, wanted {_plain(wanted)}"
        shown = shown_text(line)
        self._line("", "✔" if fits else "✘", Text(shown, "green" if fits else "bold red"))
        if not fits:
            self.unexpected.append(shown)
        return fits

    def broke(self, error: BaseException) -> None:
        """Keep an error that ended a step."""
        shown = shown_text(f"{type(error).__name__}: {error}")
        self._line("", "✘", Text(shown, "bold red"))
        self.unexpected.append(shown)

    def _line(self, who: str, mark: str, text: Text) -> None:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=_WHO, justify="right", no_wrap=True, style="cyan")
        grid.add_column(width=1)
        grid.add_column(overflow="fold")
        grid.add_row(who, mark, text)
        self.console.print(grid)


def _plain(value: object) -> str:
    """Return a value for people: a status as its number, attributes as `name=value`, nothing as such."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_plain(part)}" for name, part in value.items()) or "none"
    if isinstance(value, list | tuple):
        return " ".join(map(_plain, value)) or "none"
    return "none" if value in {None, ""} else str(value)
