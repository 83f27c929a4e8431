"""Share accounts are opened with the first order that needs one, in the same transaction.

Every order counts in an account of its stock. Whoever stores orders remembers which are open, and has the others opened
on the way, by a statement before the one that stores. It is a statement of its own: few orders need it, and an account
must be open before any balance is locked.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text

from database.statements import Statement
from services.order_entry.requests import FundedOrder

OPEN: Final = text("""
    INSERT INTO balances (broker_id, asset_id, credit_limit, blocked)
    SELECT id, stock_id, short_limit, status <> 'active'
    FROM unnest(CAST(:brokers AS bigint[]), CAST(:stocks AS bigint[]), CAST(:buys AS boolean[]))
        AS t (id, stock_id, buys)
    JOIN (SELECT id, short_limit, status FROM brokers WHERE id = ANY(CAST(:brokers AS bigint[])) FOR SHARE) k USING (id)
    WHERE (buys OR short_limit > 0)
        AND NOT EXISTS (SELECT FROM balances b WHERE b.broker_id = id AND b.asset_id = stock_id)
    ORDER BY id, stock_id
    ON CONFLICT DO NOTHING
""")
"""A share account, with its limit, for whoever buys, and for whoever may sell short; that cannot change meanwhile. One
whose broker is suspended at this moment may be opened unblocked: his cash, in which every order counts, is blocked."""


def account_of(order: FundedOrder) -> tuple[int, int]:
    """The account of its stock in which the order counts."""
    return order.order.broker_id, order.stock.id


def opening(orders: Collection[FundedOrder]) -> list[Statement]:
    """What opens the accounts of these orders."""
    accounts = {(*account_of(order), order.order.request.side == "bid") for order in orders}
    if not accounts:
        return []
    brokers, stocks, buys = zip(*accounts, strict=True)
    return [(OPEN, {"brokers": list(brokers), "stocks": list(stocks), "buys": list(buys)})]
