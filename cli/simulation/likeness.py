"""Draws the simulated stock beside a real one: `python -m cli.simulation.likeness LOBSTER_FILE PICTURE.svg`.

The file is one of the best prices (level 1) of a whole day. Needs matplotlib, which nothing else of Minex does:
`pip install matplotlib` into the environment.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.parts.simulator import trading_day
from bench.world.likeness import HORIZONS, WINDOWS, Likeness
from cli.order_flow.lobster_messages import read_file
from cli.simulation.lobster_market import real

COLOURS: Final = ("#6b7280", "#2563eb")
POINTS: Final = 200
"""Of a curve: a picture of every order would be as large as the file."""


def main(file: Path, picture: Path) -> None:
    """Draw both."""
    import matplotlib as mpl  # noqa: PLC0415 - only here
    from matplotlib import pyplot  # noqa: PLC0415

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "minex", "svg.fonttype": "none", "font.size": 9, "axes.titlesize": 10})
    figure, places = pyplot.subplots(2, 3, figsize=(11, 6.4), layout="constrained", facecolor="white")
    markets = {"Amazon, 2012-06-21": real(read_file(file)), "simulated": trading_day()}
    for colour, (name, market) in zip(COLOURS, markets.items(), strict=True):
        _draw(places.flat, market, {"color": colour, "label": name, "linewidth": 1.6})
    _name(places.flat)
    figure.savefig(picture, metadata={"Date": None, "Creator": None})


def _draw(places: Any, market: Likeness, style: dict[str, Any]) -> None:
    times, counts, spreads, depths, moves, sizes = places
    gaps = [gap for gap in market.gaps() if gap > 1e-5]
    times.plot(*_beyond(gaps), **style)
    counts.plot(WINDOWS, [market.dispersion(seconds) for seconds in WINDOWS], marker="o", markersize=3, **style)
    spreads.plot(*_up_to(market.spreads()), **style)
    depths.plot(*_up_to(market.depths()), **style)
    moves.plot(HORIZONS, [market.volatility(seconds) for seconds in HORIZONS], marker="o", markersize=3, **style)
    sizes.plot(*_up_to(market.sizes()), **style)


def _name(places: Any) -> None:
    times, counts, spreads, depths, moves, sizes = places
    times.set(title="Times between two messages", xlabel="by their mean", ylabel="part that is longer")
    times.set(xscale="log", yscale="log", xlim=(1e-3, 100), ylim=(1e-3, 1))
    counts.set(
        title="Counts of messages", xlabel="seconds counted together", ylabel="variance by mean (1: no clusters)"
    )
    counts.set(xscale="log", yscale="log", ylim=(1, 100))
    spreads.set(title="Spread", xlabel="basis points", ylabel="part of the time", xlim=(0, 15))
    depths.set(title="Depth at the best price", xlabel="shares", ylabel="part of the time", xlim=(0, 1_000))
    moves.set(
        title="Volatility",
        xlabel="seconds of a return",
        ylabel="basis points, per root of a minute",
        xscale="log",
        ylim=(0, 15),
    )
    sizes.set(title="Size of orders that rest", xlabel="shares", ylabel="part of the orders", xlim=(0, 500))
    times.legend(frameon=False)
    for place in (times, counts, spreads, depths, moves, sizes):
        place.grid(alpha=0.25)
        place.spines[["top", "right"]].set_visible(False)


def _up_to(found: Sequence[float]) -> tuple[list[float], list[float]]:
    """A distribution: values, and the part of all that is no larger."""
    step = max(len(found) // POINTS, 1)
    chosen = list(range(0, len(found), step))
    return [found[number] for number in chosen], [number / len(found) for number in chosen]


def _beyond(found: Sequence[float]) -> tuple[list[float], list[float]]:
    values, parts = _up_to(found)
    return values, [1 - part for part in parts]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
