"""The Procfile: which processes the exchange has, and how each is started."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from cli.local.ports import address_of
from settings.roles import SIMULATOR
from settings.sections import Settings

LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(.+)$")


class ProcfileError(Exception):
    """The Procfile has a line that is no `name: command`."""


@dataclass(frozen=True)
class Process:
    """One process to run; `health_url` answers 200 once it can do its work, "" if it has no address."""

    name: str
    command: tuple[str, ...]
    health_url: str = ""
    kind: str = ""
    """Its name in the Procfile, where there may be several of one kind."""


def read_procfile(path: Path) -> dict[str, tuple[str, ...]]:
    """Name and command of each line. Raises ProcfileError, naming the line."""
    commands = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = LINE.match(text)
        if not match:
            raise ProcfileError(f"{path.name} line {number}: expected `name: command`, found {text!r}")
        commands[match[1]] = tuple(shlex.split(match[2]))
    return commands


def processes_of(commands: dict[str, tuple[str, ...]], settings: Settings, python: Path) -> list[Process]:
    """The processes to run: `match` once for each symbol group, web and live with the address of their health.

    A simulator only where it is enabled.
    """
    health = {
        "web": f"{address_of(settings.web)}/health",
        "live": f"{address_of(settings.live)}/health",
    }
    processes = []
    for name, command in commands.items():
        own = _without_launcher(command, python)
        if name == SIMULATOR and not settings.simulator.enabled:
            continue
        if name == "match":
            for group in settings.match.groups:
                processes.append(Process(f"match-{group}", (*own, "--group", group), kind=name))
        else:
            processes.append(Process(name, own, health.get(name, ""), kind=name))
    return processes


def _without_launcher(command: tuple[str, ...], python: Path) -> tuple[str, ...]:
    """`./minex …` as what it calls in the end: a restart shall not have to look at the environment first."""
    return (str(python), "-m", "cli", *command[1:]) if command[0] == "./minex" else command
