"""7. Average cost and realised profit follow from the trades, and from what came in and went out between them.

Each deposit and withdrawal says after which of the broker's own events it happened, and what it added to the cost.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.settlement.average_cost import Position
from services.verify.checks.rule import Rule
from services.verify.replay.journals import STREAMED, Tape
from services.verify.report import Check

TRADES = text("""
    SELECT id, stock_id, coalesce(adjusted_price, price) AS price, quantity, buyer_id, seller_id FROM trades
    WHERE busted_at IS NULL ORDER BY stock_id, sequence
""")

ACCOUNTS = text("""
    SELECT broker_id, asset_id AS stock_id, cost, realised_pnl, available + reserved - owed AS held FROM balances
    WHERE asset_id <> 1 AND broker_id > 0 ORDER BY asset_id, broker_id
""")

EXTERNAL = text("""
    SELECT x.broker_id, x.asset_id, x.account_sequence, x.cost, x.transfer_id,
        CASE t.kind WHEN 'deposit' THEN t.amount ELSE -t.amount END AS amount
    FROM external_transfers x JOIN transfers t ON t.id = x.transfer_id
    WHERE x.asset_id <> 1 ORDER BY x.account_sequence, x.transfer_id
""")

NUMBERS = text("""
    SELECT trade_id, min(sequence) AS sequence FROM account_events
    WHERE broker_id = :broker_id AND trade_id IS NOT NULL GROUP BY trade_id
""")

TABLES = ("transfers", "external_transfers")

RULES = (
    Rule(
        "external_transfers",
        """
        SELECT coalesce(x.transfer_id, t.id) AS transfer_id, 'the transfer that it is about' AS what,
            format('broker %s, asset %s, cost %s', x.broker_id, x.asset_id, x.cost) AS found,
            format('%s of broker %s, asset %s', t.kind, t.to_broker, t.asset_id) AS expected
        FROM external_transfers x
        FULL JOIN (SELECT * FROM transfers WHERE kind IN ('deposit', 'withdrawal')) t ON t.id = x.transfer_id
        WHERE x.transfer_id IS NULL OR t.id IS NULL OR x.broker_id <> t.to_broker OR x.asset_id <> t.asset_id
            OR (x.asset_id = 1 AND x.cost <> 0) OR (t.kind = 'withdrawal' AND x.cost > 0)
        ORDER BY 1
        """,
    ),
)
"""Each deposit and withdrawal is written down once in either table."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One side of a trade: shares, negative for a sale, at so many cents each."""

    trade_id: int
    shares: int
    price: int


def check_positions(session: Session, check: Check) -> None:
    """Recompute each position of each stock from its trades, deposits and withdrawals."""
    by_stock: dict[int, list[Any]] = defaultdict(list)
    for account in session.execute(ACCOUNTS, execution_options=STREAMED):
        by_stock[account.stock_id].append(account)
    external: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for row in session.execute(EXTERNAL, execution_options=STREAMED):
        external[row.broker_id, row.asset_id].append(row)
    numbers = _Numbers(session)
    with Tape(session, TRADES) as trades:
        for stock_id, accounts in sorted(by_stock.items()):
            fills: dict[int, list[Fill]] = defaultdict(list)
            for trade in trades.of_stock(stock_id):
                if trade.stock_id == stock_id:
                    fills[trade.buyer_id].append(Fill(trade.id, trade.quantity, trade.price))
                    fills[trade.seller_id].append(Fill(trade.id, -trade.quantity, trade.price))
            for account in accounts:
                moved = external[account.broker_id, stock_id]
                _compare(check, account, list(_steps(numbers, account.broker_id, fills[account.broker_id], moved)))


class _Numbers:
    """At which of a broker's own events each of its trades was; looked up only where that matters."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._broker_id = 0
        self._known: dict[int, int] = {}

    def of(self, broker_id: int, trade_id: int) -> int:
        """The number of the first event of this trade."""
        if broker_id != self._broker_id:
            rows = self._session.execute(NUMBERS, {"broker_id": broker_id})
            self._broker_id, self._known = broker_id, {row.trade_id: row.sequence for row in rows}
        return self._known.get(trade_id, 0)


def _steps(numbers: _Numbers, broker_id: int, fills: list[Fill], moved: list[Any]) -> Iterator[Any]:
    """Fills and external transfers of one account, in the order in which they changed it."""
    waiting = list(reversed(moved))
    for fill in fills:
        while waiting and (
            not waiting[-1].account_sequence or waiting[-1].account_sequence < numbers.of(broker_id, fill.trade_id)
        ):
            yield waiting.pop()
        yield fill
    yield from reversed(waiting)


def _compare(check: Check, account: Any, steps: list[Any]) -> None:
    check.rows += 1
    row = {"broker_id": account.broker_id, "asset_id": account.stock_id}
    position = Position()
    for step in steps:
        if isinstance(step, Fill):
            position.trade(step.shares, step.price)
        elif step.amount < 0:
            part = -position.withdraw(-step.amount)
            check.require(int(step.cost), part, "cost that left", "external_transfers", transfer_id=step.transfer_id)
        else:
            position.deposit(step.amount, int(step.cost))
    found = int(account.cost), int(account.realised_pnl)
    check.require(found, (position.cost, position.realised), "cost and realised profit", "balances", **row)
