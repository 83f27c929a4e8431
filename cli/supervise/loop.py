"""The supervisor: starts what the exchange consists of, starts again what dies, and stops everything."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cli.supervise.health import HealthWatch
from cli.supervise.log_file import Logbook
from cli.supervise.orphans import reap_strays
from cli.supervise.unit import Unit
from machine.errors import MachineError

BACK_OFF_SECONDS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Before the first, second, … new start; the last for all further ones."""
STEADY_SECONDS = 30.0
"""After this long a run counts as a success, and the next death begins with the shortest wait again."""
SETTLED_SECONDS = 1.0
"""A process without an address counts as up once it has lived this long: a wrong import ends it sooner."""
HUNG_SECONDS = 60.0
"""A process that used to answer and has been silent for so long hangs. Unless it gives signs of life: then strangers
may keep the door at which we ask, and it is not ended for what they do."""
TICK_SECONDS = 0.2
REAP_SECONDS = 10.0
"""How often the exit codes of grandchildren that fell to us are collected."""
DEATHS_AT_START = 2
"""A process that dies this often before it was up once stops the whole start."""


class StartError(Exception):
    """The exchange cannot be started; the message has the reason and the last lines of the log."""


@dataclass
class Watched:
    """A unit and how it fares; times are seconds of time.monotonic."""

    unit: Unit
    started: float = 0.0
    deaths: int = 0
    """Since the last steady run."""
    restarts: int = 0
    """Since the exchange was started."""
    due: float | None = None
    """When it is to be started again; None while it runs."""
    was_up: bool = False
    is_silent: bool = False
    """Whether it has been said that it gives signs of life and no answers."""


class Supervisor:
    """Runs in the main thread: the children end with the thread that starts them."""

    def __init__(self, units: Sequence[Unit], logbook: Logbook, changed: Callable[[], None] = lambda: None) -> None:
        """`changed` is called whenever a process has started or died, or its health is another."""
        self.watched = [Watched(unit) for unit in units]
        self.health = HealthWatch({unit.name: unit.health_url for unit in units})
        self._logbook = logbook
        self._changed = changed
        self._last_health: list[bool] = []
        self._next_reaping = time.monotonic() + REAP_SECONDS
        self._alarm, self._alarm_end = os.pipe()
        os.set_blocking(self._alarm, False)
        os.set_blocking(self._alarm_end, False)
        self._before = signal.signal(signal.SIGCHLD, lambda *_: None)  # so that the wake-up below comes
        signal.set_wakeup_fd(self._alarm_end, warn_on_full_buffer=False)

    def start(self, names: Callable[[str], bool] = lambda name: True) -> None:
        """Start what does not run yet, in order; only those that `names` wants."""
        for watched in self.watched:
            if names(watched.unit.name) and not watched.unit.is_alive():
                self._start(watched)
        self.health.start()

    def wait_until_up(self, seconds: float) -> None:
        """Watch until every process is up for the first time. Raises StartError if one dies twice, or at the end."""
        deadline = time.monotonic() + seconds
        while not all(self.is_well(watched) for watched in self.watched):
            self.run_once(0.05)
            for watched in self.watched:
                if not watched.was_up and watched.deaths >= DEATHS_AT_START:
                    raise StartError(self._report(watched, watched.unit.end_of()))
                if time.monotonic() > deadline and not self.is_well(watched):
                    raise StartError(self._report(watched, f"was not ready after {seconds:.0f} s"))
        for watched in self.watched:
            watched.was_up = True

    def run_once(self, seconds: float = TICK_SECONDS) -> None:
        """Wait for a signal, at most so long; then look at every process, and start again what is due."""
        with contextlib.suppress(InterruptedError):
            select.select([self._alarm], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            os.read(self._alarm, 4096)
        now = time.monotonic()
        for watched in self.watched:
            self._look_at(watched, now)
        health = [self.is_well(watched) for watched in self.watched]
        if health != self._last_health:
            self._last_health = health
            self._changed()
        if now > self._next_reaping:
            self._next_reaping = now + REAP_SECONDS
            reap_strays({watched.unit.pid for watched in self.watched})

    def is_well(self, watched: Watched) -> bool:
        """True if it runs and, where it has an address, answers there."""
        unit = watched.unit
        if watched.due is not None or not unit.is_alive() or not self.health.is_well(unit.name):
            return False
        return bool(unit.health_url) or watched.was_up or time.monotonic() - watched.started > SETTLED_SECONDS

    def stop(self, grace_seconds: float) -> None:
        """End all processes: together, after the grace by force, with everything that they have started."""
        self.health.stop()
        for watched in self.watched:
            watched.unit.terminate()
        until = time.monotonic() + grace_seconds
        for watched in self.watched:
            if not watched.unit.wait(until):
                self._logbook.write("minex", f"{watched.unit.name} did not stop in time and is ended by force")
        for watched in self.watched:
            watched.unit.clear_away()

    def close(self) -> None:
        """Take no more signals."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, self._before)
        os.close(self._alarm)
        os.close(self._alarm_end)

    def _look_at(self, watched: Watched, now: float) -> None:
        unit = watched.unit
        if watched.due is not None:
            return self._start_if_due(watched)
        if unit.is_alive():
            if now - watched.started > STEADY_SECONDS:
                watched.deaths = 0
            self._end_hung(watched)
            return self._look_at_silence(watched)
        self._plan_start(watched, unit.end_of())
        return self._start_if_due(watched)

    def _end_hung(self, watched: Watched) -> None:
        """End what hangs: we start a process again, and it starts its workers again itself."""
        unit = watched.unit
        leader = unit.pid
        for hung in unit.end_hung():
            words = f"hangs (pid {hung.pid}), no sign of life for {hung.seconds:.1f} s, and is ended"
            self._logbook.write("minex", f"{unit.name} {words}")
            if hung.pid == leader:
                watched.deaths = 0  # what hangs has been waited for long enough
            else:
                watched.restarts += 1
                self._changed()

    def _look_at_silence(self, watched: Watched) -> None:
        """End what has not answered for too long, or say so where it gives signs of life."""
        unit = watched.unit
        is_silent = self.health.silent_seconds(unit.name) > HUNG_SECONDS
        if is_silent and not unit.beats:
            self._logbook.write("minex", f"{unit.name} has not answered for {HUNG_SECONDS:.0f} s and is ended")
            unit.clear_away()
        elif is_silent and not watched.is_silent:
            self._logbook.write("minex", f"{unit.name} works, but we have had no answer for {HUNG_SECONDS:.0f} s")
        watched.is_silent = is_silent

    def _plan_start(self, watched: Watched, reason: str) -> None:
        watched.unit.clear_away()
        pause = BACK_OFF_SECONDS[min(watched.deaths, len(BACK_OFF_SECONDS) - 1)]
        watched.deaths += 1
        watched.due = time.monotonic() + pause
        when = f"in {pause:g} s" if pause else "at once"
        self._logbook.write("minex", f"{watched.unit.name} {reason}; starting again {when}")
        self._changed()

    def _start_if_due(self, watched: Watched) -> None:
        if watched.due is not None and time.monotonic() >= watched.due:
            watched.restarts += 1
            self._start(watched)

    def _start(self, watched: Watched) -> None:
        self.health.forget(watched.unit.name)
        watched.due = None
        watched.started = time.monotonic()
        try:
            watched.unit.start()
        except (OSError, MachineError) as error:
            self._plan_start(watched, f"cannot be started ({error})")
            return
        self._logbook.write("minex", f"{watched.unit.name} started (pid {watched.unit.pid})")
        self._changed()

    def _report(self, watched: Watched, reason: str) -> str:
        lines = [f"  {line}" for line in self._logbook.last_lines(watched.unit.name)]
        return "\n".join([f"{watched.unit.name} {reason}. Its last words:", *lines])
