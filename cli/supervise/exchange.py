"""The whole exchange on one machine: servers, schema, first data, processes; then watching until it is told to stop."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from cli.local.demo.simulator_keys import with_simulator
from cli.local.ports import address_of, listening
from cli.local.run_state import RunState, write_state
from cli.local.summary import Summary, seconds_since_start
from cli.local.token_secret import for_people
from cli.supervise.children import children_of
from cli.supervise.heartbeats import make_folder
from cli.supervise.import_ahead import import_ahead
from cli.supervise.kept_state import KeptState
from cli.supervise.log_file import Logbook
from cli.supervise.loop import Supervisor
from cli.supervise.orphans import adopt_orphans, end_descendants
from cli.supervise.previous_run import end_left_overs
from cli.supervise.server_unit import Served
from cli.supervise.unit import Unit
from embedded.folder import data_folder
from embedded.servers import Servers
from machine.runtime import runtime_of
from settings.connections import connections_of
from settings.loading import ROOT
from settings.sections import Settings

if TYPE_CHECKING:
    from cli.local.prepare import Prepared

START_SECONDS = 60.0
"""Until every process has to be up."""
GRACE_SECONDS = 3.5
"""Between asking the processes to leave and ending them; with the servers' stop it stays within five."""
OPEN_FILES = 65_536
"""A socket each for every client of Socket.IO; we ask for as many as the machine allows, up to this."""

Step = Callable[[str, float], None]
"""Told of each finished step of the start and the seconds it took."""


class Exchange:
    """One start, one watch, one stop; the data folder's lock must be held."""

    def __init__(self, settings: Settings, port: int | None, step: Step) -> None:
        self.folder = data_folder(settings)
        self.logbook = Logbook(self.folder / "log" / "minex.log", form=settings.log.format)
        self._step = step
        self._settings = settings
        self._port = port
        self._servers = Servers(settings, self.folder)
        self._served: list[Served] = []
        self._supervisor: Supervisor | None = None
        self._heartbeats: Path | None = None
        self._listeners: dict[str, socket.socket] = {}
        self._asked_to_stop = False
        self._interruptible = True
        self.state = RunState(pid=os.getpid(), data_folder=str(self.folder), started_at=time.time())
        self._kept = KeptState(self.state, self.logbook)

    def start(self) -> Summary:
        """Bring everything up. `stop` must follow. Raises CommandError, EmbeddedServerError or StartError."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        imports = import_ahead()
        runtime = Thread(target=runtime_of, args=[ROOT], name="runtime", daemon=True)  # it may have to copy Python
        runtime.start()
        adopt_orphans()
        _raise_limit_of_files()
        end_left_overs(self.folder)
        settings, self._listeners = listening(with_simulator(for_people(self._settings)), self._port)
        write_state(self.state)
        settings = self._start_servers(settings)
        imports.join()
        self._bring_schema(settings)
        self.state.note_servers(settings, self._servers.redis_urls)
        self.state.url, self.state.live_url = address_of(settings.web), address_of(settings.live)
        began = time.monotonic()
        runtime.join()
        supervisor = self._start_processes()
        supervisor.start(_is_needed_for_orders)
        prepared = self._prepare_database(settings)
        supervisor.start()
        supervisor.wait_until_up(START_SECONDS)
        self._note_state()
        names = [watched.unit.name for watched in supervisor.watched if watched.unit not in self._served]
        self._step(f"{', '.join(names)} up", time.monotonic() - began)
        self._interruptible = False
        return Summary(
            url=self.state.url,
            live_url=self.state.live_url,
            log_file=str(self.logbook.path),
            data_folder=str(self.folder),
            pid=os.getpid(),
            seconds=seconds_since_start(),
            brokers=prepared.brokers,
            admin_key=prepared.admin_key,
            simulator=bool(settings.simulator.enabled),
            warning=runtime_of(ROOT).warning,
        )

    def watch(self) -> None:
        """Until a signal asks to stop."""
        while not self._asked_to_stop and self._supervisor is not None:
            self.run_once()

    def run_once(self) -> None:
        """One look at everything."""
        if self._supervisor is not None:
            self._supervisor.run_once()
        self._kept.try_again()
        for served in self._served:
            served.copy_log()

    def stop(self) -> None:
        """Processes first, then the servers; nothing that we have started is left."""
        self._interruptible = False
        self.state.state = "stopping"
        self._kept.save()
        if self._supervisor is not None:
            self._supervisor.stop(GRACE_SECONDS)
            self._supervisor.close()
        if self._heartbeats is not None:
            shutil.rmtree(self._heartbeats, ignore_errors=True)
        for served in reversed(self._served):
            served.stop()
        self._servers.stop(1.0)
        for listener in self._listeners.values():
            listener.close()
        end_descendants()
        self.logbook.write("minex", "stopped")
        self.logbook.close()

    def _start_servers(self, settings: Settings) -> Settings:
        began = time.monotonic()
        self._servers = Servers(settings, self.folder)
        settings = self._servers.start()
        self._served = [Served(name, server, self.logbook) for name, server in self._servers.running.items()]
        if names := " and ".join({"postgres": "PostgreSQL", "valkey": "Valkey"}[one.name] for one in self._served):
            self._step(f"{names} up", time.monotonic() - began)
        return settings

    def _bring_schema(self, settings: Settings) -> None:
        from cli.local.prepare import bring_schema  # noqa: PLC0415 - imported ahead

        began = time.monotonic()
        if self._settings.redis.url:
            from cli.local.cache import must_let_in  # noqa: PLC0415 - imported ahead

            must_let_in(settings.redis.url, partial(self.logbook.write, "minex"))
        bring_schema(settings, connections_of(settings))
        self._step("Database ready", time.monotonic() - began)

    def _prepare_database(self, settings: Settings) -> Prepared:
        """Keys and the demo. The processes start meanwhile: they need the tables, and nothing of what is in them."""
        from cli.local.prepare import prepare  # noqa: PLC0415 - imported ahead

        return prepare(settings, demo=settings.exchange.demo, tell=partial(self.logbook.write, "minex"))

    def _start_processes(self) -> Supervisor:
        runtime = runtime_of(ROOT)
        if runtime.warning:
            self.logbook.write("minex", runtime.warning)
        self._heartbeats = make_folder(runtime.account)
        children = children_of(self._servers, runtime, self._heartbeats, self._listeners, self.logbook)
        units: list[Unit] = [*self._served, *children]
        self._supervisor = Supervisor(units, self.logbook, self._note_state)
        return self._supervisor

    def _note_state(self) -> None:
        if self._supervisor is not None:
            self._kept.note(self._supervisor)

    def _on_signal(self, *_: object) -> None:
        self._asked_to_stop = True
        if self._interruptible:  # still starting: leave whatever is going on
            raise KeyboardInterrupt


def _is_needed_for_orders(name: str) -> bool:
    """True for the processes that begin first: whoever waits for the exchange to come back waits for them."""
    return name == "web" or name.startswith("match")


def _raise_limit_of_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
