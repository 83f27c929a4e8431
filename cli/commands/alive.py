"""`minex alive`: whether a process that runs by itself goes on, for the health check of its container."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import rich_click as click

from cli.exits import DONE
from cli.terminal import CommandError, say
from settings.loading import HEARTBEATS, heartbeats_folder

SILENT_SECONDS = 5.0
"""A process that has not beaten for so long hangs. It would beat four times a second; a full machine makes it late."""


@click.command()
def command() -> int:
    """Say when `match`, `clock` or another process without an address last gave a sign of life.

    The exit code is 1 if that is long ago. It asks neither PostgreSQL nor Redis: a process that waits for them is
    alive. Where it beats, the variable MINEX_HEARTBEATS says, the same for all.
    """
    folder = heartbeats_folder()
    if not folder:
        raise CommandError(f"{HEARTBEATS} names no folder in which a process would beat.", "minex status")
    silent = min(_silent_for(Path(folder)), default=None)
    if silent is None:
        raise CommandError(f"No process has given a sign of life in {folder}.")
    if silent > SILENT_SECONDS:
        raise CommandError(f"The last sign of life is {silent:.0f} s old.")
    say("alive")
    return DONE


def _silent_for(folder: Path) -> Iterator[float]:
    """Of each process that has beaten here, the seconds since it last did."""
    now = time.monotonic()
    for file in folder.glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError):
            beaten_at = file.stat().st_mtime
            if beaten_at <= now:  # one that has only just been made still has the time of day
                yield now - beaten_at
