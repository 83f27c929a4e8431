"""`minex up`: the whole exchange on this machine with one command."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from cli.exits import FAILED
from cli.local.connection_errors import explained
from cli.local.new_admin_key import unshown_key, was_shown
from cli.local.run_state import RunState, lock_of, running
from cli.local.summary import Summary, seconds_since_start, text_of
from cli.options import data_folder_option, settings_for
from cli.supervise.detach import Pipe, start_daemon
from cli.supervise.loop import StartError
from cli.terminal import CommandError, say, step
from embedded.folder import data_folder
from imports import without_collection
from machine.errors import MachineError, NotOursError
from machine.lock import OwnerLock
from machine.ownership import refuse_foreign
from settings.in_public import refuse_unsafe
from settings.sections import Settings

if TYPE_CHECKING:
    from cli.supervise.exchange import Exchange

OTHER_PLACE = "minex up --data-folder PLACE"

OTHER_START_SECONDS = 60.0
"""How long a second `up` waits for the first one to be ready."""


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), help="For REST; Socket.IO gets the next one. 0: any free one.")
@click.option("--detach", "-d", is_flag=True, help="Return once everything is up; the exchange goes on.")
@click.option(
    "--demo/--no-demo",
    default=None,
    help="List the demo's stocks and register its brokers in a database that has none.  [default: in our own]",
)
@click.option(
    "--simulator/--no-simulator",
    default=None,
    help="Let makers and people trade the demo's stocks.  [default: in our own]",
)
@data_folder_option
@click.option("--json", "as_json", is_flag=True, help="Print addresses and keys as JSON.")
@click.option("--report-to", type=int, hidden=True)
def command(
    port: int | None,
    detach: bool,
    demo: bool | None,
    simulator: bool | None,
    data_folder: Path | None,
    as_json: bool,
    report_to: int | None,
) -> int:
    """Start the whole exchange on this machine: servers, database, processes.

    Prints where it is and the keys of its demo brokers. Ctrl-C stops it. Safe to call again, also after a crash.
    """
    settings = _with_simulator(_with_demo(settings_for(data_folder), demo), simulator)
    refuse_unsafe(settings)
    folder = _made(settings)
    if report_to is not None:
        return _run_as_daemon(settings, port, Pipe(report_to), lock_of(folder))
    if lock_of(folder).holder() is not None:
        return _already_up(folder, as_json)
    if detach:
        arguments = ["--data-folder", str(folder), "--demo" if settings.exchange.demo else "--no-demo"]
        arguments += ["--port", str(port)] if port is not None else []
        if simulator is not None:
            arguments.append("--simulator" if simulator else "--no-simulator")
        try:
            summary = start_daemon(arguments, folder / "log" / "up.log", step)
        except StartError as error:
            raise CommandError(str(error)) from error
        _print(dataclasses.replace(summary, seconds=seconds_since_start()), as_json, log_follows=False)
        return 0
    return _run_here(settings, port, lock_of(folder), as_json)


def _with_demo(settings: Settings, asked: bool | None) -> Settings:
    """The settings with or without a demo: as asked, else with one where the database is our own and they allow it."""
    wanted = settings.exchange.demo and not settings.database.url if asked is None else asked
    return dataclasses.replace(settings, exchange=dataclasses.replace(settings.exchange, demo=wanted))


def _with_simulator(settings: Settings, asked: bool | None) -> Settings:
    """The settings with or without a simulator, where one or the other was asked for."""
    if asked is None:
        return settings
    return dataclasses.replace(settings, simulator=dataclasses.replace(settings.simulator, enabled=asked))


def _made(settings: Settings) -> Path:
    folder = data_folder(settings)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"The data folder {folder} cannot be made ({error.strerror}).", OTHER_PLACE) from error
    try:
        refuse_foreign(folder.resolve())
    except NotOursError as error:
        raise CommandError(f"The data folder is not ours alone: {error}.", OTHER_PLACE) from error
    return folder


def _already_up(folder: Path, as_json: bool) -> int:
    """Not an error: what the user wants is there."""
    deadline = time.monotonic() + OTHER_START_SECONDS
    while (state := running(folder)) is not None:
        if state.url and state.state in ("running", "degraded"):
            _print_state(state, unshown_key(folder), as_json)
            was_shown(folder)
            return 0
        if time.monotonic() > deadline:
            raise CommandError(f"Another `minex up` (pid {state.pid}) is {state.state}.", "minex status", "minex down")
        time.sleep(0.1)
    raise CommandError("Another `minex up` has just ended.", "minex up")


def _exchange(settings: Settings, port: int | None, step: Callable[[str, float], None]) -> Exchange:
    """Imported only by the process that runs it: the one that starts a daemon is done sooner without."""
    with without_collection():
        from cli.supervise.exchange import Exchange  # noqa: PLC0415

    return Exchange(settings, port, step)


def _print_state(state: RunState, admin_key: str | None, as_json: bool) -> None:
    """Print where it is, and the administrator's key if whoever started it was interrupted before it was shown."""
    if as_json:
        click.echo(json.dumps(state.public() | {"admin_key": admin_key}))
        return
    click.echo(f"Minex is already up: {state.url}  (pid {state.pid})")
    if admin_key:
        click.echo(f"The administrator's key: {admin_key}  (shown this once)")


def _run_here(settings: Settings, port: int | None, lock: OwnerLock, as_json: bool) -> int:
    if not lock.take():
        return _already_up(data_folder(settings), as_json)
    exchange = _exchange(settings, port, step)
    try:
        summary = exchange.start()
        _print(summary, as_json, log_follows=True)
        exchange.logbook.terminal = sys.stderr
        exchange.watch()
        say("stopping …")
    except (StartError, MachineError) as error:
        raise CommandError(str(error), "minex doctor") from error
    finally:
        exchange.stop()
        lock.release()
    return 0


def _run_as_daemon(settings: Settings, port: int | None, pipe: Pipe, lock: OwnerLock) -> int:
    if not lock.take():
        pipe.failed("another `minex up` was faster")
        return 1
    exchange = _exchange(settings, port, pipe.step)
    try:
        pipe.done(exchange.start())
        exchange.watch()
    except Exception as error:
        told = error if isinstance(error, CommandError) else explained(error)
        if told is None and not isinstance(error, StartError | MachineError | OSError):
            pipe.failed(f"{type(error).__name__}: {error}")
            raise
        pipe.failed(told.text().removeprefix("✗ ") if told else str(error))
        return told.code if told else FAILED
    finally:
        exchange.stop()
        lock.release()
    return 0


def _print(summary: Summary, as_json: bool, *, log_follows: bool) -> None:
    click.echo(json.dumps(summary.as_json()) if as_json else text_of(summary, log_follows))
    was_shown(Path(summary.data_folder))
