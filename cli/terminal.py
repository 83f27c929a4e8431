"""How the commands speak: data on stdout, progress on stderr, errors with what, why and the next command."""

from __future__ import annotations

import os
import sys
from typing import TextIO

import click

from cli.exits import FAILED

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")
"""For names in the log, given out in turn; red is kept for errors."""


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
        return "\n".join(lines)


def has_colours(stream: TextIO) -> bool:
    """Whether to colour what goes to `stream`: a terminal, and nobody asked for none (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def coloured(text: str, colour: str, stream: TextIO) -> str:
    """`text` in `colour` where `stream` shows colours."""
    return click.style(text, fg=colour) if has_colours(stream) else text


def say(text: str) -> None:
    """Progress, for whoever watches."""
    click.echo(text, err=True)


def step(text: str, seconds: float | None = None) -> None:
    """One finished step of something longer, with the time that it took."""
    mark = coloured("✓", "green", sys.stderr)
    say(f"{mark} {text}" + (f"  {seconds:.1f} s" if seconds is not None else ""))


def show_error(error: click.ClickException) -> None:
    """Print an error in the one form that all commands share."""
    if isinstance(error, CommandError):
        text = error.text()
    else:
        text = f"✗ {error.format_message()}"
        context = getattr(error, "ctx", None)
        if context is not None:
            text += f"\n  {context.command_path} --help"
    mark, rest = text[:1], text[1:]
    say(coloured(mark, "red", sys.stderr) + rest)


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Columns in line, two spaces apart."""
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [heads, *rows]]
    return "\n".join(line.rstrip() for line in lines)
