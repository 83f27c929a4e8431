"""The market as the simulator knows it: books and accounts by streams, states and bands by looking now and then."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from client import BookMirror, ExchangeError, Follower, Mirror, Refused

from .desk import Desk
from .holdings import Holdings
from .plan import Plan
from .traders import MAKERS, PEOPLE
from .view import View

log = logging.getLogger(__name__)

RULES_SECONDS: Final = 5.0
"""Between two looks at states and bands."""

DEPTH: Final = 10

MOST_BOOKS: Final = 150
"""That one stream follows: it has two hundred channels at most."""

OPEN: Final = "open"
GATHERING: Final = frozenset({"pre_open", "auction"})

NOT_LET_IN: Final = frozenset({401, 403})


class NothingToTrade(Exception):
    """None of the stocks is listed, or a key is not good."""


class Market:
    """What there is to be seen: `begin` finds out, `look` keeps what no stream tells, `stop` ends it."""

    def __init__(self, desks: Mapping[str, Desk]) -> None:
        self._desks = desks
        self._holdings = {name: Holdings() for name in desks}
        self._rules: dict[str, Any] = {}
        self._looked_at = float("-inf")
        self._books: dict[str, BookMirror] = {}
        self._followers: list[Follower] = []

    def begin(self, plan: Plan) -> dict[str, int]:
        """Find out what there is, and follow it: the stocks, each with where it is, in cents.

        Raises NothingToTrade, ExchangeError.
        """
        self.stop()
        try:
            self._read_rules(plan.symbols)
            self._read_holdings(held_only=plan.held_only)
        except Refused as refused:
            if refused.status in NOT_LET_IN:
                raise NothingToTrade(f"a key of the simulator is not good: {refused.detail}") from refused
            raise
        prices = {symbol: price for symbol, rules in self._rules.items() if (price := _price(rules))}
        if not prices:
            raise NothingToTrade(f"none of {', '.join(plan.symbols)} is listed here, with a price to begin at")
        self._books = {symbol: BookMirror(symbol) for symbol in prices}
        books = list(self._books.values())
        chunks = [books[first : first + MOST_BOOKS] for first in range(0, len(books), MOST_BOOKS)]
        self._follow(PEOPLE, [])
        self._follow(MAKERS, chunks[0])
        for more in chunks[1:]:
            self._follow(MAKERS, more, account=False)
        return prices

    def look(self) -> bool:
        """Look at states and bands if it is time; False where a stream has ended for good, and all has to begin anew.

        Raises NothingToTrade where that was for a key.
        """
        if time.monotonic() - self._looked_at > RULES_SECONDS:
            try:
                self._read_rules(tuple(self._books))
            except ExchangeError as error:
                log.info("%s", error)
        for failure in (follower.failure for follower in self._followers if follower.failure is not None):
            if isinstance(failure, Refused) and failure.status in NOT_LET_IN:
                raise NothingToTrade(f"a key of the simulator is not good any more: {failure.detail}")
            log.warning("begins anew: %s", failure)
            return False
        return True

    def stop(self) -> None:
        """Follow no more."""
        for follower in self._followers:
            follower.stop()
        self._followers = []

    def view(self, symbol: str, now: float) -> View | None:
        """What is to be seen of a stock at `now`; None where nobody can trade it, or nobody knows."""
        rules, book = self._rules.get(symbol), self._books[symbol]
        ready = [desk for desk in self._desks.values() if desk.is_ready]
        if rules is None or rules["state"] not in {OPEN, *GATHERING} or not book.is_ready or not ready:
            return None
        return View(
            now=now,
            bids=[(price, shares) for price, shares, _ in book.bids(DEPTH)],
            asks=[(price, shares) for price, shares, _ in book.asks(DEPTH)],
            tick=rules["tick_size"],
            lot=rules["lot_size"],
            lowest=max(rules["lowest_price"], 1),
            highest=rules["highest_price"],
            orders=[order for desk in ready for order in desk.orders(symbol)],
            lean={name: holdings.lean(symbol) for name, holdings in self._holdings.items()},
            holdings=self._holdings[PEOPLE].bought(symbol),
            auction=rules["state"] in GATHERING,
            busy=frozenset(name for name, desk in self._desks.items() if desk.is_busy(symbol)),
        )

    def _follow(self, name: str, books: Sequence[BookMirror], *, account: bool = True) -> None:
        """Follow books, and what a broker has."""
        desk = self._desks[name]
        channels, mirrors = [book.channel for book in books], list[Mirror](books)
        if account:
            channels.append(desk.mirror.channel)
            mirrors += [desk.mirror, self._holdings[name]]
        self._followers.append(Follower(desk.exchange, channels, mirrors).start())

    def _read_rules(self, symbols: tuple[str, ...]) -> None:
        self._looked_at = time.monotonic()
        self._rules = {stock["symbol"]: stock for stock in self._desks[MAKERS].exchange.stocks(*symbols)}

    def _read_holdings(self, *, held_only: bool) -> None:
        """What the brokers have; where only that is to be traded, the other stocks are left out."""
        has = set()
        for name, desk in self._desks.items():
            positions = desk.exchange.portfolio()["positions"]
            held = {one["symbol"]: one["available"] + one["reserved"] for one in positions}
            self._holdings[name].begin(held)
            has |= {symbol for symbol, shares in held.items() if shares > 0}
        if held_only:
            self._rules = {symbol: rules for symbol, rules in self._rules.items() if symbol in has}


def _price(rules: Mapping[str, Any]) -> int | None:
    """Where a stock begins: where it is, in cents; None where nobody has ever said."""
    bid, ask = rules["best_bid"], rules["best_ask"]
    found = (bid + ask) // 2 if bid and ask else rules["last_price"] or rules["reference_price"]
    return None if found is None else int(found)
