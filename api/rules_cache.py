"""The rules of stocks, as they were at most a second ago."""

import time
from collections.abc import Collection

from sqlalchemy.orm import Session

from services.listing import StockRules, rules_of

BELIEVED_SECONDS = 1.0
"""A halt or a new reference price reaches entry within this time; the book checks again, with what is true then."""


class RulesCache:
    """Rules by symbol. What was not found is not remembered: it may be listed any moment."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[float, StockRules]] = {}

    def recent(self, session: Session, symbols: Collection[str]) -> dict[str, StockRules]:
        """The rules of `symbols`, unknown ones left out; read again where too old."""
        now = time.monotonic()
        found = {}
        for symbol in symbols:
            until, rules = self._rules.get(symbol, (0.0, None))
            if rules is not None and now < until:
                found[symbol] = rules
        missing = [symbol for symbol in symbols if symbol not in found]
        return {**found, **self.fresh(session, missing)} if missing else found

    def fresh(self, session: Session, symbols: Collection[str]) -> dict[str, StockRules]:
        """The rules of `symbols` as they are now: what a market order's protection price is reckoned from."""
        until = time.monotonic() + BELIEVED_SECONDS
        rules = rules_of(session, symbols)
        self._rules.update({symbol: (until, one) for symbol, one in rules.items()})
        return rules
