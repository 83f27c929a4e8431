"""What a broker could set aside now, and the largest quantity for which that is enough."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from database.statements import Statements
from models import CASH
from services.errors import MarketError
from services.order_entry.placing.answers import refusal_of
from services.order_entry.placing.room import most_open, most_open_of_stock
from services.order_entry.placing.store import Refusal
from services.order_entry.placing.store_closing import CLOSING_ROOM
from services.order_entry.requests import FundedOrder
from settings.sections import Limits

ACCOUNTS = text(f"""
    SELECT a.asset_id, coalesce(b.available, 0) AS available,
        coalesce(b.credit_limit, CASE WHEN a.asset_id = 1 THEN 0 ELSE k.short_limit END) AS credit_limit,
        coalesce(b.open_orders, 0) AS open_orders, k.status,
        CASE WHEN k.status = 'close_only' THEN {CLOSING_ROOM} END AS closing_room
    FROM brokers k CROSS JOIN (VALUES (CAST(1 AS bigint)), (CAST(:stock_id AS bigint))) AS a (asset_id)
    LEFT JOIN balances b ON b.broker_id = k.id AND b.asset_id = a.asset_id
    WHERE k.id = :broker_id
""")  # noqa: S608 - an expression of ours
"""An account that is opened with the first order has the broker's limits. `closing_room`: what a broker that may only
close what it has may do on one side of the stock."""


@dataclass(frozen=True, slots=True)
class Funds:
    """A broker's accounts of cash and of a stock."""

    accounts: dict[int, Any]

    def available(self, asset_id: int) -> int:
        """Cents or shares."""
        return int(self.accounts[asset_id].available)

    def most(self, asset_id: int) -> int:
        """The same, and what the broker may owe."""
        return self.available(asset_id) + int(self.accounts[asset_id].credit_limit)

    @property
    def may_only_close(self) -> bool:
        """True for a broker that owes to the guarantee account."""
        return bool(self.accounts[CASH].status == "close_only")

    def refusals(self, funded: FundedOrder, limits: Limits) -> list[MarketError]:
        """What stands against this order's being paid for and counted, in the order in which it is told."""
        cash, of_stock = self.accounts[CASH], self.accounts[funded.stock.id]
        found = {
            Refusal.BLOCKED: cash.status == "suspended",
            Refusal.CLOSE_ONLY: (self.may_only_close and funded.order.request.quantity > (of_stock.closing_room or 0)),
            Refusal.UNPAID: funded.amount > self.most(funded.asset_id),
            Refusal.OPEN_ORDERS_PER_STOCK: of_stock.open_orders >= most_open_of_stock(limits),
            Refusal.OPEN_ORDERS: cash.open_orders >= most_open(limits, funded.order.is_guest),
        }
        return [refusal_of(reason, funded, limits) for reason, stands in found.items() if stands]


def read_funds(session: Statements, broker_id: int, stock_id: int, side: str) -> Funds:
    """A broker's accounts as they are now, for an order of this side."""
    rows = session.execute(ACCOUNTS, {"broker_id": broker_id, "stock_id": stock_id, "side": side})
    return Funds({row.asset_id: row for row in rows})


def largest(lot: int, most: int, need: Callable[[int], int], funds: int) -> int:
    """The largest multiple of `lot`, at most `most` shares, whose `need` (cents or shares) is within `funds`; else 0.

    The more shares, the more they need.
    """
    least, beyond = 0, most // lot + 1
    while beyond - least > 1:
        middle = (least + beyond) // 2
        if need(middle * lot) <= funds:
            least = middle
        else:
            beyond = middle
    return least * lot
