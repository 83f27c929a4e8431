"""The simulator as a process of the exchange: it trades until it is told to stop, and waits where it cannot."""

from __future__ import annotations

import logging
import threading
from typing import Final

from cli.local.demo.stocks import STOCKS
from cli.local.ports import address_of
from heartbeat import Progress, start_beating
from settings.sections import Settings
from simulator import NothingToTrade, Plan, Simulation
from simulator.traders import MAKERS, PEOPLE
from workers.stopping import stopped_by_signals

log = logging.getLogger(__name__)

TAG: Final = "sim"
"""What the client_order_ids of its orders begin with; those of the command are others."""

SILENCE_SECONDS: Final = 60
"""After which its orders are gone, where it does not come back: nobody would move them any more."""

IDLE_SECONDS: Final = 1.0


def main(settings: Settings) -> None:
    """Trade until SIGTERM; where there is nothing to trade, wait for it."""
    stopped = stopped_by_signals()
    progress = Progress()
    start_beating(progress.goes_on)
    simulator = settings.simulator
    if not simulator.enabled:
        log.info("[simulator] enabled = false: nobody trades")
        _idle(stopped, progress)
        return
    keys = {MAKERS: simulator.makers_key, PEOPLE: simulator.people_key}
    try:
        url = simulator.url or address_of(settings.web)
        simulation = Simulation(url, keys, plan_of(settings), TAG, SILENCE_SECONDS)
        simulation.find_streams_at(simulator.live_url)
        simulation.run(stopped, progress.note)
    except NothingToTrade as reason:
        log.warning("%s; nobody trades until the next start", reason)
        _idle(stopped, progress)


def plan_of(settings: Settings) -> Plan:
    """What the settings say: stocks that they name, else those of the demo that its brokers were given shares of."""
    simulator = settings.simulator
    return Plan(
        symbols=simulator.stocks or tuple(STOCKS),
        rate=simulator.rate,
        seed=simulator.seed,
        clustering=simulator.clustering / 100,
        held_only=not simulator.stocks,
    )


def _idle(stopped: threading.Event, progress: Progress) -> None:
    while not stopped.wait(IDLE_SECONDS):
        progress.note()
