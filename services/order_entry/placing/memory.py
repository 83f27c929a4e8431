"""What a process remembers from one order to the next, so that PostgreSQL need not be asked."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from services.accounts.known_accounts import KnownAccounts
from settings.sections import Fees

DOUBT: Final = timedelta(seconds=1)
"""How long a broker's orders go the careful way after one of them had to."""


class OrderMemory:
    """The share accounts that are open, and the brokers whose orders had better go the careful way.

    Doubtful is whose last orders could not be paid for, found no room, or came for the second time: the next ones may
    be like these, and would have the orders of others stored twice over.
    """

    def __init__(self, fees: Fees | None = None) -> None:
        """`fees` are those of the settings, by which one knows what a broker pays once its terms are looked up."""
        self.fees = fees or Fees()
        self.accounts = KnownAccounts()
        self._doubtful: dict[int, datetime] = {}

    def doubt(self, brokers: Iterable[int], now: datetime) -> None:
        """Take these brokers for doubtful for a while."""
        if doubtful := dict.fromkeys(brokers, now + DOUBT):
            self._doubtful = {broker: until for broker, until in self._doubtful.items() if until > now} | doubtful

    def is_doubtful(self, broker_id: int, now: datetime) -> bool:
        """True for a broker of whom `doubt` was told lately."""
        until = self._doubtful.get(broker_id)
        return until is not None and until > now
