"""Run parts of the bench one after the other, and gather what they found."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import psutil

from bench.figures import CannotMeasure, Figure
from bench.options import Options

PARTS: Final = {
    "ceilings": "What the database, a bare endpoint and a job for each order give",
    "requests": "What each kind of request takes of the web process",
    "rest": "One order a request, as fast as answers come",
    "batch": "A hundred orders a request, until all are settled",
    "peers": "The same beside small exchanges on FastAPI, one durable, one in memory",
    "mixed": "Orders, cancels and reads at fixed rates, and overload",
    "day": "A trading day of every kind of order, auctions, halts and switches",
    "engine": "The matching core next to engines from PyPI",
    "growth": "The same with a long history, deep books and many stocks",
    "restart": "A killed worker serves again, and what an open order costs in memory",
    "sockets": "Socket.IO clients on one busy stock",
    "webhooks": "What a troubled receiver costs another's, and whether each is told everything in order",
    "simulator": "How like a real stock the simulated one is",
    "hostile": "What others wait for while a stranger does his worst",
}
"""Every part, in the order in which a full run takes them; each is the module of its name."""


class Part(Protocol):
    """A module with one measurement."""

    def measure(self, options: Options) -> Iterator[Figure]:
        """Measure, giving each figure as soon as it is known. Raises CannotMeasure."""


@dataclass
class Findings:
    """The results of a run: figures, parts that could not be measured, and parts that broke."""

    options: Options
    figures: list[Figure] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """True if the figures count: no part broke, the books balance, nothing stayed unmatched."""
        return not self.broken and bool(self.figures) and all(figure.sound for figure in self.figures)

    def reasons(self) -> list[str]:
        """Why the figures do not count, a line each; empty where they do."""
        missed = [figure for figure in self.figures if not figure.sound]
        lines = [f"{name} broke: {reason}" for name, reason in self.broken.items()]
        return lines + [
            f"{figure.part}: {figure.what}: {figure.value:g} {figure.unit}".rstrip() + _because(figure)
            for figure in missed
        ]

    def document(self) -> dict[str, Any]:
        """The findings for programs."""
        return {
            "sound": self.sound,
            "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {
                "cpus": psutil.cpu_count(),
                "memory_bytes": psutil.virtual_memory().total,
                "python": platform.python_version(),
                "system": platform.platform(),
            },
            "options": self.options.document(),
            "figures": [figure.document() for figure in self.figures],
            "skipped": self.skipped,
            "broken": self.broken,
        }


def _because(figure: Figure) -> str:
    return f" ({figure.remark})" if figure.remark else ""


def run(parts: Sequence[str], options: Options, tell: Callable[[Figure], None]) -> Findings:
    """Measure these parts; `tell` hears of each figure as soon as it is known. No part ends the others."""
    findings = Findings(options)
    for name in parts:
        part: Part = importlib.import_module(f"bench.parts.{name}")
        try:
            for figure in part.measure(options):
                findings.figures.append(figure)
                tell(figure)
        except CannotMeasure as reason:
            findings.skipped[name] = str(reason)
        except Exception as error:  # noqa: BLE001 - a part that breaks is a finding, the others still count
            findings.broken[name] = f"{type(error).__name__}: {error}"
    return findings
