"""The trading states of a stock (FIX SecurityTradingStatus 326).

`engine.trading.state_changes` says what a change brings.
"""

from typing import Final

from engine.terms.codes import STOCK_CLOSED, STOCK_DELISTED, STOCK_HALTED

PRE_OPEN: Final = "pre_open"
"""Orders gather, and nobody is told what they would bring."""
AUCTION: Final = "auction"
"""Orders gather; the indicative price, volume and surplus are told as they change."""
OPEN: Final = "open"
"""Orders match as they come."""
HALTED: Final = "halted"
"""Only cancels are taken."""
CLOSED: Final = "closed"
"""Only cancels are taken; the session is over."""

DELISTED: Final = "delisted"
"""It is over: all orders are gone, and no other state follows."""

STATES: Final = (PRE_OPEN, AUCTION, OPEN, HALTED, CLOSED)
"""Those of a stock that is listed."""
ALL_STATES: Final = (*STATES, DELISTED)
GATHERING: Final = frozenset({PRE_OPEN, AUCTION})
REFUSALS: Final = {HALTED: STOCK_HALTED, CLOSED: STOCK_CLOSED, DELISTED: STOCK_DELISTED}
"""The codes with which the states that take only cancels refuse everything else."""
