"""`minex status`: what runs, and where."""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from pathlib import Path

import rich_click as click

from cli.exits import DONE, FAILED, NOT_RUNNING
from cli.local.run_state import UNKNOWN, RunState, running
from cli.options import data_folder_option, settings_for
from cli.terminal import CommandError, coloured, say, table
from embedded.folder import data_folder as data_folder_of


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@data_folder_option
def command(as_json: bool, data_folder: Path | None) -> int:
    """Show what is running, and where.

    Exit code 3 if nothing runs, 1 if what runs belongs to another user and cannot be looked at.
    """
    folder = data_folder_of(settings_for(data_folder))
    try:
        state = running(folder)
    except PermissionError as error:
        if as_json:
            click.echo(json.dumps({"running": None, "state": UNKNOWN, "data_folder": str(folder)}, indent=2))
            return FAILED
        raise CommandError(f"The data folder {folder} belongs to another user.", "sudo minex status") from error
    if state is not None and state.state == UNKNOWN and not as_json:
        raise CommandError(
            f"Minex (pid {state.pid}) runs on {folder}, started by another user, who alone can see its state.",
            "sudo minex status",
        )
    if as_json:
        absent = {"running": False, "data_folder": str(folder)}
        click.echo(json.dumps(state.public() if state else absent, indent=2))
    elif state:
        click.echo(_text(state))
    else:
        say(f"Minex is not running on {folder}.\n  minex up")
    if state is None:
        return NOT_RUNNING
    return FAILED if state.state == UNKNOWN else DONE


def _text(state: RunState) -> str:
    colour = {"running": "green", "degraded": "red"}.get(state.state, "yellow")
    lines = [f"Minex is {coloured(state.state, colour, sys.stdout)}."]
    if state.url:
        lines += ["", f"  REST       {state.url}", f"  Socket.IO  {state.live_url}"]
    lines.append(f"  Data       {state.data_folder}")
    if state.started_at:
        lines.append(f"  Up for     {timedelta(seconds=int(time.time() - state.started_at))}  (pid {state.pid})")
    rows = [
        [
            process["name"],
            str(process["pid"] or "-"),
            "healthy" if process["healthy"] else process["state"],
            str(process["restarts"]),
        ]
        for process in state.processes
    ]
    if rows:
        lines += ["", table(["process", "pid", "state", "restarts"], rows)]
    return "\n".join(lines)
