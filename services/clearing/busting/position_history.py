"""A position worked out again from the trades that stand: as if those that were busted had never been.

It begins at the last point before the first of them (`position_points`), or at nothing, and goes through everything
that has changed the position since, in the order in which it did. What is held by this account is what the balance has
less what it owes: shares that the guarantee account has lent are not its own.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.settlement.average_cost import Position
from services.settlement.ledger import Account

POINT: Final = text("""
    SELECT sequence, transfer_id, net, cost, realised_pnl FROM position_points
    WHERE broker_id = :broker_id AND asset_id = :asset_id AND sequence < :before
    ORDER BY sequence DESC, transfer_id DESC LIMIT 1
""")

FILLS: Final = text("""
    SELECT e.sequence, t.id AS trade_id, coalesce(t.adjusted_price, t.price) AS price,
        CASE WHEN t.buy_order_id = e.order_id THEN t.quantity ELSE -t.quantity END AS shares
    FROM account_events e JOIN trades t ON t.id = e.trade_id
    WHERE e.broker_id = :broker_id AND e.sequence > :after AND e.trade_id IS NOT NULL AND t.stock_id = :asset_id
        AND t.busted_at IS NULL
    ORDER BY t.sequence, shares DESC
""")
"""In the order of the tape; of a trade with oneself the purchase comes first, as it was settled."""

EXTERNAL: Final = text("""
    SELECT x.account_sequence, x.transfer_id, x.cost,
        CASE m.kind WHEN 'deposit' THEN m.amount ELSE -m.amount END AS shares
    FROM external_transfers x JOIN transfers m ON m.id = x.transfer_id
    WHERE x.broker_id = :broker_id AND x.asset_id = :asset_id AND x.transfer_id > :transfer_id
    ORDER BY x.account_sequence, x.transfer_id
""")


@dataclass(frozen=True, slots=True)
class Recounted:
    """A position as it is now, and withdrawals that took another part of its cost along: cents by transfer.

    `before`: the number of the broker's own event before which nothing has changed.
    """

    before: int
    position: Position
    costs: Mapping[int, int] = field(default_factory=dict)


def recounted(
    session: Statements, account: Account, before: int, busted: Collection[int], adjusted: Mapping[int, int]
) -> Recounted:
    """The position of `account` (broker, stock) from before its own event number `before` to now.

    Without the trades in `busted`, and with those in `adjusted` at their new prices (cents): both by id, beside what
    the database says already. Nobody may change the account meanwhile.
    """
    broker_id, asset_id = account
    named = {"broker_id": broker_id, "asset_id": asset_id}
    point = session.execute(POINT, {**named, "before": before}).one_or_none()
    after, transfer_id, position = 0, 0, Position()
    if point is not None:
        after, transfer_id = point.sequence, point.transfer_id
        position = Position(point.net, int(point.cost), int(point.realised_pnl))
    fills = [row for row in session.execute(FILLS, {**named, "after": after}) if row.trade_id not in busted]
    external = list(session.execute(EXTERNAL, {**named, "transfer_id": transfer_id}))
    costs: dict[int, int] = {}
    for step in in_order(fills, external):
        if hasattr(step, "trade_id"):
            position.trade(step.shares, adjusted.get(step.trade_id, step.price))
        elif step.shares > 0:
            position.deposit(step.shares, int(step.cost))
        else:
            part = position.withdraw(-step.shares)
            if -part != int(step.cost):
                costs[step.transfer_id] = -part
    return Recounted(before, position, costs)


def in_order(fills: list[Any], external: list[Any]) -> Iterator[Any]:
    """Both kinds of steps in the order in which they changed the account."""
    waiting = list(reversed(external))
    for fill in fills:
        while waiting and waiting[-1].account_sequence < fill.sequence:
            yield waiting.pop()
        yield fill
    yield from reversed(waiting)
