"""How many commands wait, over time: looked at while a load runs."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.figures import mean
from bench.world.world import World

EVERY_SECONDS = 0.05


@dataclass
class Backlog:
    """Samples of one load: seconds since it began, and commands that nobody had matched."""

    samples: list[tuple[float, int]] = field(default_factory=list)

    @property
    def most(self) -> int:
        """The deepest backlog."""
        return max((waiting for _, waiting in self.samples), default=0)

    @property
    def at_end(self) -> int:
        """The last one."""
        return self.samples[-1][1] if self.samples else 0

    @property
    def later_mean(self) -> float:
        """The mean over the second half of the time: a backlog that grows has grown by then."""
        half = self.samples[-1][0] / 2 if self.samples else 0.0
        return mean([waiting for at, waiting in self.samples if at >= half])

    def over_time(self, points: int = 10) -> list[int]:
        """The deepest backlog in each of `points` equal pieces of the time."""
        if not self.samples:
            return []
        whole = self.samples[-1][0] or 1.0
        pieces = [0] * points
        for at, waiting in self.samples:
            piece = min(points - 1, int(at / whole * points))
            pieces[piece] = max(pieces[piece], waiting)
        return pieces


@contextlib.contextmanager
def watched(world: World) -> Iterator[Backlog]:
    """Look at the backlog until the block ends."""
    backlog, ended, began = Backlog(), threading.Event(), time.monotonic()

    def look() -> None:
        while not ended.is_set():
            backlog.samples.append((time.monotonic() - began, world.backlog()))
            ended.wait(EVERY_SECONDS)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield backlog
    finally:
        ended.set()
        thread.join()
