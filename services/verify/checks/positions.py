"""7. Average cost and realised profit follow from the trades, one after the other.

What deposited shares cost is kept in the balance only. It follows from cost - realised = cost of the deposits +
purchases - sales, which holds at every moment; so an account is recomputed whose deposits all came before its first
trade. Others, and cash, are left out.
"""

from collections import defaultdict
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.settlement.average_cost import average_cost
from services.verify.replay.journals import STREAMED, Tape
from services.verify.report import Check

TRADES = text("""
    SELECT stock_id, price, quantity, buyer_id, seller_id FROM trades ORDER BY stock_id, sequence
""")

ACCOUNTS = text("""
    WITH history AS (
        SELECT to_broker AS broker_id, asset_id, sum(amount) FILTER (WHERE kind = 'deposit') AS deposited,
            max(id) FILTER (WHERE kind = 'deposit') AS last_deposit, min(id) FILTER (WHERE kind = 'trade') AS first_in
        FROM transfers WHERE asset_id <> 1 AND kind IN ('deposit', 'trade') GROUP BY 1, 2
    ), given AS (
        SELECT from_broker AS broker_id, asset_id, min(id) AS first_out,
            bool_or(kind = 'withdrawal') AS withdrew
        FROM transfers WHERE asset_id <> 1 AND kind IN ('withdrawal', 'trade') GROUP BY 1, 2
    )
    SELECT broker_id, asset_id AS stock_id, b.cost, b.realised_pnl, coalesce(h.deposited, 0) AS deposited
    FROM balances b LEFT JOIN history h USING (broker_id, asset_id) LEFT JOIN given g USING (broker_id, asset_id)
    WHERE asset_id <> 1 AND NOT coalesce(g.withdrew, false)
        AND (h.last_deposit IS NULL OR (
            h.last_deposit < coalesce(h.first_in, h.last_deposit + 1)
            AND h.last_deposit < coalesce(g.first_out, h.last_deposit + 1)))
    ORDER BY asset_id, broker_id
""")


def check_positions(session: Session, check: Check) -> None:
    """Recompute each position of each stock from its trades."""
    by_stock: dict[int, list[Any]] = defaultdict(list)
    for account in session.execute(ACCOUNTS, execution_options=STREAMED):
        by_stock[account.stock_id].append(account)
    with Tape(session, TRADES) as trades:
        for stock_id, accounts in sorted(by_stock.items()):
            fills: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for trade in trades.of_stock(stock_id):
                if trade.stock_id == stock_id:
                    fills[trade.buyer_id].append((trade.quantity, trade.price))
                    fills[trade.seller_id].append((-trade.quantity, trade.price))
            for account in accounts:
                _compare(check, account, fills[account.broker_id])


def _compare(check: Check, account: Any, fills: list[tuple[int, int]]) -> None:
    check.rows += 1
    bought = sum(shares * price for shares, price in fills)
    found = int(account.cost), int(account.realised_pnl)
    brought_in = found[0] - found[1] - bought if account.deposited else 0
    wanted = average_cost(int(account.deposited), brought_in, 0, fills)
    row = {"broker_id": account.broker_id, "asset_id": account.stock_id}
    check.require(found, wanted, "cost and realised profit", "balances", **row)
