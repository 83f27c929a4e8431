"""How the commands speak: data on stdout, progress on stderr, errors with what, why and the next command."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TextIO

import click

from cli.exits import FAILED
from settings.loading import called_as

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")
"""For names in the log, given out in turn; red is kept for errors."""


NO_NUMBER = "is not a valid integer range."
"""How click says that a word is no number."""

LEAST_WIDTH = 8
"""Columns that a column of a table keeps on the narrowest terminal."""

COMMANDS = (
    r"admin-key|admin|alive|bench|cancel|doctor|down|migrate|orders|order|positions|replay|rq|run|simulate|simulator|status|test|"
    r"token-secret|up|verify|watch|webhook"
)
COMMAND = re.compile(rf"(?<![\w/.-])minex(?= ({COMMANDS})\b)")
"""The name before one of our subcommands, wherever a hint names one."""


class CommandError(click.ClickException):
    """The command cannot do it. `mend`: the commands that help, on a line of their own; `code`: the exit code."""

    def __init__(self, what: str, *mend: str, exit_code: int = FAILED) -> None:
        super().__init__(what)
        self.mend = mend
        self.code = exit_code

    def text(self) -> str:
        """What, why and the next command, as shown."""
        lines = [f"✗ {self.message}"]
        if self.mend:
            lines.append("  " + "    or    ".join(self.mend))
        return as_called("\n".join(lines))


def as_called(text: str) -> str:
    """`text` with each command of ours (`minex up`) as the user has to type it here (`./minex up`)."""
    return COMMAND.sub(lambda _: called_as(), text)


def has_colours(stream: TextIO) -> bool:
    """True if what goes to `stream` is coloured: it is a terminal, and nobody asked for no colours (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def coloured(text: str, colour: str, stream: TextIO) -> str:
    """`text` in `colour` where `stream` shows colours."""
    return click.style(text, fg=colour) if has_colours(stream) else text


def say(text: str) -> None:
    """Progress and hints, for whoever watches."""
    click.echo(as_called(text), err=True)


def step(text: str, seconds: float | None = None) -> None:
    """One finished step of something longer, with the time that it took."""
    mark = coloured("✓", "green", sys.stderr)
    say(f"{mark} {text}" + (f"  {seconds:.1f} s" if seconds is not None else ""))


def show_error(error: click.ClickException) -> None:
    """Print an error in the one form that all commands share."""
    if isinstance(error, CommandError):
        text = error.text()
    else:
        text = f"✗ {error.format_message().replace(NO_NUMBER, 'is no whole number.')}"
        if isinstance(error, click.UsageError):  # one without its context comes from the reading of options
            text += f"\n  {error.ctx.command_path if error.ctx else called_as()} --help"
    mark, rest = text[:1], text[1:]
    say(coloured(mark, "red", sys.stderr) + rest)


def width_of(stream: TextIO) -> int:
    """Columns that a line to `stream` may have: those of a terminal, or as many as one likes."""
    return shutil.get_terminal_size().columns if stream.isatty() or os.environ.get("COLUMNS") else sys.maxsize


def fitted(text: str, width: int) -> str:
    """`text` in at most so many columns; what is cut off is shown by an ellipsis."""
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Columns in line, two spaces apart; the widest gives way where the terminal is too narrow."""
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    too_wide = sum(widths) + 2 * (len(widths) - 1) - width_of(sys.stdout)
    if too_wide > 0:
        widest = widths.index(max(widths))
        widths[widest] = max(len(heads[widest]), LEAST_WIDTH, widths[widest] - too_wide)
    lines = [
        "  ".join(fitted(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in [heads, *rows]
    ]
    return "\n".join(line.rstrip() for line in lines)


def counted(number: int, one: str, many: str = "") -> str:
    """`1 finding`, `2 findings`, `1,234 matches`: the number with its noun."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
