"""What an operator sees of a job that is under way."""

import io

from rich.console import Console

from cli.jobs.shown_progress import shown_progress


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    """Return a console, and what is written on it."""
    output = io.StringIO()
    return Console(file=output, force_terminal=terminal, width=120, color_system=None), output


def test_a_terminal_shows_each_part_with_its_steps() -> None:
    """What, how far of how much; a part whose length nobody knows has its count alone."""
    shown, output = console(terminal=True)
    with shown_progress(shown) as progress:
        progress.begin("reading the file")
        progress.advance()
        progress.begin("importing", 30)
        progress.advance(20)
        progress.advance(10)
    *_, first, second = (line for line in output.getvalue().splitlines() if "/" in line)
    assert ("reading the file" in first, "1/?" in first) == (True, True)
    assert ("importing" in second, "30/30" in second) == (True, True)


def test_a_step_before_any_part_is_no_error() -> None:
    """A job may say nothing of its parts."""
    shown, _ = console(terminal=True)
    with shown_progress(shown) as progress:
        progress.advance()


def test_elsewhere_nothing_is_shown() -> None:
    """A log of a scheduled run has the summary alone."""
    shown, output = console(terminal=False)
    with shown_progress(shown) as progress:
        progress.begin("importing", 1)
        progress.advance()
    assert output.getvalue().strip() == ""
