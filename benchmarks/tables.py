"""What every part of the report is made of: targets, and tables for people."""

from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Target:
    """Something to reach. `value` and `limit` are numbers where less is better, or texts that must be equal."""

    name: str
    value: float | str
    limit: float | str

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        if isinstance(self.value, str) or isinstance(self.limit, str):
            return self.value == self.limit
        return self.value <= self.limit


def table_of(title: str, *columns: str) -> Table:
    """Return an empty table, whose first column stands at the left and the others at the right."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table
