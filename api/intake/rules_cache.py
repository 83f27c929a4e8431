"""The rules of stocks, as they were at most a second ago: one query renews those that orders have come for."""

import time
from collections.abc import Collection, Iterable, Set
from typing import Any

from sqlalchemy import text

from database.statements import Statements
from services.stocks.listing import StockRules, rule_values

BELIEVED_SECONDS = 1.0
"""A halt or a new reference price reaches entry within this time; the book checks again, with what is true then."""

LISTED = text("SELECT symbol FROM stocks")

IDLE_SECONDS = 30.0
"""A stock that no order has come for in this time is no longer read along."""


class RulesCache:
    """Rules by symbol. What was not found is not remembered: anybody may ask for it, and somebody may list it."""

    def __init__(self) -> None:
        self._values: dict[str, list[Any]] = {}
        self._used_at: dict[str, float] = {}
        self._taken_at = float("-inf")
        self._listed: set[str] = set()
        self._listed_at = float("-inf")

    def strange(self, symbols: Iterable[str]) -> set[str]:
        """Those of `symbols` that may not be listed. What is listed stays so."""
        return {symbol for symbol in symbols if symbol not in self._listed}

    def unlisted(self, session: Statements, strange: Set[str]) -> Set[str]:
        """Those of `strange` that are not."""
        if time.monotonic() - self._listed_at > BELIEVED_SECONDS:
            self._listed_at = time.monotonic()
            self._listed = set(session.scalars(LISTED))
        self._listed |= rule_values(session, strange - self._listed).keys()
        return strange - self._listed

    def recent(self, session: Statements, symbols: Collection[str]) -> dict[str, StockRules]:
        """The rules of `symbols`, unknown ones left out; when they are too old, those of all stocks in use are read."""
        now = time.monotonic()
        read: dict[str, StockRules] = {}
        values = self._values  # while the database answers, others may renew or forget what is remembered
        if now - self._taken_at >= BELIEVED_SECONDS:
            used_at = {symbol: at for symbol, at in self._used_at.copy().items() if now - at < IDLE_SECONDS}
            self._values = values = rule_values(session, used_at.keys() | set(symbols))
            self._used_at, self._taken_at = used_at, now
        elif unknown := [symbol for symbol in symbols if symbol not in values]:
            read = self.fresh(session, unknown)
        found = {symbol: StockRules(*values[symbol]) for symbol in symbols if symbol in values} | read
        self._used_at.update(dict.fromkeys(found, now))
        return found

    def fresh(self, session: Statements, symbols: Collection[str]) -> dict[str, StockRules]:
        """The rules of `symbols` as they are now: what a market order's protection price is reckoned from."""
        found = rule_values(session, symbols)
        self._values.update(found)
        return {symbol: StockRules(*values) for symbol, values in found.items()}

    def forget(self) -> None:
        """Remember nothing of the rules."""
        self._values = {}
