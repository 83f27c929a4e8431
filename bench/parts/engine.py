"""How many random limit orders a second the matching core takes, next to engines from PyPI in the same process.

A ratio counts only where both end with the same shares in the book. Minex is also shown as the exchange uses it, with
customers, a price band and self-trade prevention; that matches otherwise, and is not compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bench.baselines.engines import PEERS
from bench.figures import Figure, at_least, ratio
from bench.options import Options
from settings.loading import ROOT

PART = "engine"

ENVIRONMENT: Final = ROOT / ".minex" / "bench-peers"
"""Where the peers are installed: apart, so that Minex's own environment stays as it is pinned."""

REQUIREMENTS: Final = ROOT / "bench" / "requirements.txt"
BUILDERS: Final = ROOT / "bench" / "requirements-build.txt"
WITHOUT_WHEELS: Final = "orderly-chaos"
"""The peer that is built there, by what `BUILDERS` has brought and nothing else: that has hashes, too."""

INSTALL: Final = "minex bench engine --install-peers"

AHEAD = at_least(1)

Raced = dict[str, tuple[float, int]]
"""By engine: orders a second, and the shares that rest at the end."""


def measure(options: Options) -> Iterator[Figure]:
    """Ratios to every peer that is installed, for narrow, middling and wide books."""
    if options.install_peers:
        _install()
    for spread, raced in _race(options).items():
        yield from ratios(f"prices within {spread} cents", raced)


def ratios(name: str, raced: Mapping[str, tuple[float, int]]) -> Iterator[Figure]:
    """Minex against each peer; a peer that is missing is named, with how to get it."""
    rate, shares = raced["minex"]
    live, _ = raced["minex_live"]
    remark = f"{live:,.0f} with customers, a price band and self-trade prevention"
    yield Figure(PART, f"{name}: Minex", rate, "orders/s", (), remark)
    for peer in PEERS:
        what = f"{name}: Minex to {peer}"
        if peer not in raced:
            yield Figure(PART, what, float("nan"), "", (), f"not installed: {INSTALL}")
        elif raced[peer][1] != shares:
            yield Figure(
                PART, what, float("nan"), "", (), f"the books differ: {raced[peer][1]:,} and {shares:,} shares"
            )
        else:
            yield Figure(PART, what, ratio(rate, raced[peer][0]), "×", AHEAD, f"{raced[peer][0]:,.0f} orders/s")


def _race(options: Options) -> dict[str, Raced]:
    """In the peers' environment where there is one, else in ours."""
    python = _python()
    wanted = {"orders": options.engine_orders, "rounds": options.rounds, "seed": options.seed}
    command = [str(python if python.exists() else sys.executable), "-m", "bench.baselines.race", json.dumps(wanted)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    raced: dict[str, Raced] = json.loads(done.stdout)
    return raced


def _install() -> None:
    """Make the peers' environment, or bring it to what is pinned. Raises CalledProcessError."""
    if not _python().exists():
        venv.create(ENVIRONMENT, with_pip=True)
    pip = [str(_python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    vouched = ["--require-hashes", "--only-binary", ":all:"]
    built = ["--no-binary", WITHOUT_WHEELS, "--no-build-isolation"]
    for options in (["-r", str(BUILDERS)], [*built, "-r", str(REQUIREMENTS)]):
        subprocess.run([*pip, *vouched, *options], stdout=sys.stderr, check=True)


def _python() -> Path:
    return ENVIRONMENT / "bin" / "python"
