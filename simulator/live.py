"""The simulator on an exchange: when something is due in a stock, its traders see the market, and act."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from client import Exchange, ExchangeError

from .desk import Desk
from .market import Market
from .plan import Plan
from .stock import SimulatedStock
from .traders import BROKERS, MAKERS, broker_of

log = logging.getLogger(__name__)

LONGEST_WAIT: Final = 0.25
"""Seconds between two looks around."""

WAKE_SECONDS: Final = 1.0

LATE_SECONDS: Final = 1.0
"""What could not be done for so long is not made up for: time goes on from here."""

TIMEOUT: Final = 10.0
"""Seconds that one answer may take."""

PATIENCE: Final = 1.0
"""For which a call is tried again; what has not been done by then is decided anew."""


class Simulation:
    """Trades `plan.symbols` at the exchange at `url`, for brokers by their keys, until it is told to stop.

    It survives restarts of everything: it waits where nobody answers, and goes on with what it finds. `tag` is by
    which it knows its own orders again, among those of others that trade for the same brokers.
    """

    def __init__(self, url: str, keys: Mapping[str, str], plan: Plan, tag: str = "sim", silence: int = 0) -> None:
        """`keys` by the names of BROKERS; `silence`: seconds without us after which the exchange cancels all."""
        self.plan = plan
        self.desks = {
            name: Desk(name, Exchange(url, keys[name], timeout=TIMEOUT, patience=PATIENCE), tag, silence)
            for name in BROKERS
        }
        self.market = Market(self.desks)
        self._stocks: dict[str, SimulatedStock] = {}
        self._opened: set[str] = set()
        """The stocks that the makers quote: at first, and whenever they could not, they all begin with it at once."""
        self._began = 0.0
        self._woken_at = float("-inf")

    def find_streams_at(self, live_url: str) -> None:
        """Follow the streams there, unless it is empty, and not where the exchange says that they are."""
        if live_url:
            for desk in self.desks.values():
                desk.exchange.live_url = live_url

    def run(self, stopped: threading.Event, note: Callable[[], None] = lambda: None) -> None:
        """Until `stopped`; `note` is called whenever it has looked around. Raises NothingToTrade."""
        for desk in self.desks.values():
            desk.start()
        try:
            while not stopped.is_set():
                note()
                self._wake_desks()
                if self._stocks or self._begin():
                    stopped.wait(self.run_once())
                else:
                    stopped.wait(1.0)
        finally:
            self.market.stop()
            for desk in self.desks.values():
                desk.stop()

    def run_once(self) -> float:
        """Let happen what is due; the seconds until something is, LONGEST_WAIT at most. Raises NothingToTrade."""
        if not self.market.look():
            self._stocks = {}
            return 0.0
        now = self._now()
        for stock in self._stocks.values():
            while stock.next_at <= now:
                self._let_happen(stock)
        until = min(stock.next_at for stock in self._stocks.values()) - self._now()
        return min(max(until / self.plan.speed, 0.0), LONGEST_WAIT)

    @property
    def sent(self) -> int:
        """Orders and cancels so far."""
        return sum(desk.sent for desk in self.desks.values())

    def cancel_all(self) -> int:
        """Take its own orders back, once it has stopped, and leave the others; how many these were.

        Raises ExchangeError.
        """
        return sum(desk.cancel_all() for desk in self.desks.values())

    def _wake_desks(self) -> None:
        if time.monotonic() - self._woken_at > WAKE_SECONDS:
            self._woken_at = time.monotonic()
            for desk in self.desks.values():
                if desk.failure is not None:
                    raise desk.failure
                desk.wake()

    def _begin(self) -> bool:
        """Find out what there is; False where nobody answers yet."""
        try:
            prices = self.market.begin(self.plan)
        except ExchangeError as error:
            log.info("waiting: %s", error)
            return False
        self._stocks = {symbol: SimulatedStock(symbol, price, self.plan) for symbol, price in prices.items()}
        self._opened = set()
        self._began = time.monotonic()
        log.info("trading %s", ", ".join(self._stocks))
        return True

    def _now(self) -> float:
        """Seconds since the beginning as they go by here; those in which nobody could come are left out."""
        now = (time.monotonic() - self._began) * self.plan.speed
        late = (now - min(stock.next_at for stock in self._stocks.values())) / self.plan.speed - LATE_SECONDS
        if late > 0:
            self._began += late
            now -= late * self.plan.speed
        return now

    def _let_happen(self, stock: SimulatedStock) -> None:
        view = self.market.view(stock.symbol, stock.next_at)
        if view is None:
            self._opened.discard(stock.symbol)
            stock.pass_by()
            return
        actions = stock.act(view)
        if not self.desks[MAKERS].is_ready:
            self._opened.discard(stock.symbol)
        elif stock.symbol not in self._opened:
            self._opened.add(stock.symbol)
            actions = stock.open(view)  # instead: a maker who acts twice on one view quotes twice
        if stock.news:
            log.info("news of %s: %+.2f %%", stock.symbol, stock.news / 100)
        for action in actions:
            desk = self.desks[broker_of(action.trader)]
            if desk.is_ready and desk.can(stock.symbol, action):
                desk.do(stock.symbol, action)
