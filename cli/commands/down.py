"""`minex down`: stop the exchange of a data folder, wherever it was started."""

from __future__ import annotations

import contextlib
import signal
import time
from pathlib import Path

import psutil
import rich_click as click

from cli.local.run_state import lock_of
from cli.options import data_folder_option, settings_for
from cli.supervise.previous_run import end_left_overs
from cli.terminal import CommandError
from embedded.folder import data_folder as data_folder_of
from machine.process import end

PATIENCE_SECONDS = 10.0
"""A stop takes less than five; whoever needs longer than this is ended by force."""


@click.command()
@data_folder_option
def command(data_folder: Path | None) -> None:
    """Stop the exchange. Its data stays; nothing happens if it does not run."""
    folder = data_folder_of(settings_for(data_folder))
    try:
        pid = lock_of(folder).holder()
    except PermissionError as error:
        raise CommandError(f"The data folder {folder} belongs to another user.", "sudo minex down") from error
    if pid is None:
        if folder.exists():
            end_left_overs(folder)
        click.echo("Minex was not running.")
        return
    if not pid:
        raise CommandError(
            f"{lock_of(folder).path} is held by something else than the Minex that is written down in it.",
            f"fuser {lock_of(folder).path}",
        )
    began = time.monotonic()
    try:
        _stop(folder, pid)
    except psutil.AccessDenied as error:
        raise CommandError(f"Minex (pid {pid}) was started by another user.", "sudo minex down") from error
    click.echo(f"Minex has stopped.  ({time.monotonic() - began:.1f} s)")


def _stop(folder: Path, pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        supervisor = psutil.Process(pid)
        descendants = supervisor.children(recursive=True)
        if not end(supervisor, [(signal.SIGTERM, PATIENCE_SECONDS)]):
            raise CommandError(f"Minex (pid {pid}) does not stop.")
        for process in descendants:  # there are some only if it had to be ended by force
            end(process, [(signal.SIGTERM, 1.0)])
    end_left_overs(folder)
