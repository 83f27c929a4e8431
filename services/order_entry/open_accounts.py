"""Share accounts are opened with the first order that needs one, in the same transaction.

Every order counts in an account of its stock. Whoever stores orders remembers which are open, for none is ever closed;
what he does not know he has opened on the way, by a statement before the one that stores. It is a statement of its own:
few orders need it, and an account must be open before any balance is locked.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text

from database.statements import Statement
from services.order_entry.requests import FundedOrder

OPEN: Final = text("""
    INSERT INTO balances (broker_id, asset_id, credit_limit, blocked)
    SELECT id, stock_id, short_limit, status = 'suspended'
    FROM unnest(CAST(:brokers AS bigint[]), CAST(:stocks AS bigint[]), CAST(:buys AS boolean[]))
        AS t (id, stock_id, buys)
    JOIN brokers USING (id)
    WHERE (buys OR short_limit > 0)
        AND NOT EXISTS (SELECT FROM balances b WHERE b.broker_id = id AND b.asset_id = stock_id)
    ORDER BY id, stock_id
    ON CONFLICT DO NOTHING
""")
"""A share account, with its limit, for whoever buys, and for whoever may sell short. One whose broker is suspended at
this moment may be opened unblocked: that of his cash, in which every order counts, is blocked."""

MOST: Final = 200_000
"""Accounts remembered as open, some 30 MB; beyond that the memory starts anew."""


class OpenAccounts:
    """The accounts that are known to be open, by broker and stock."""

    def __init__(self) -> None:
        self._known: set[tuple[int, int]] = set()

    def opening(self, orders: Collection[FundedOrder]) -> list[Statement]:
        """What opens those that may not be open; nothing where all are known."""
        known = self._known
        return opening([entry for entry in orders if (entry.order.broker_id, entry.stock.id) not in known])

    def know(self, orders: Collection[FundedOrder]) -> None:
        """These orders are stored, so their accounts are open."""
        if len(self._known) > MOST:
            self._known.clear()
        self._known.update([(entry.order.broker_id, entry.stock.id) for entry in orders])


def opening(orders: Collection[FundedOrder]) -> list[Statement]:
    """What opens the accounts of these orders."""
    accounts = {(entry.order.broker_id, entry.stock.id, entry.order.request.side == "bid") for entry in orders}
    if not accounts:
        return []
    brokers, stocks, buys = zip(*accounts, strict=True)
    return [(OPEN, {"brokers": list(brokers), "stocks": list(stocks), "buys": list(buys)})]
