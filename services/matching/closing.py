"""What closing a position comes to when its turn comes: which orders go, how many shares are left to trade, who pays.

Only this stock's turns, deposits and withdrawals change a position, and what was set aside for the order cannot be
withdrawn: so nothing that is found here changes before the turn is stored.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from database.statements import Statements
from engine.book import Book
from engine.terms.codes import INSUFFICIENT_FUNDS, INSUFFICIENT_SHARES, NO_POSITION
from engine.terms.commands import Close
from engine.terms.orders import ASK, Order
from services.settlement.ledger import Account, Ledger, broker_of, need_of, need_of_rest

HELD = text("""
    SELECT b.broker_id, b.asset_id, b.available + b.reserved AS held
    FROM unnest(CAST(:brokers AS bigint[]), CAST(:stocks AS bigint[])) AS t (broker_id, asset_id)
    JOIN balances b ON b.broker_id = t.broker_id AND b.asset_id = t.asset_id
""")

AS_PAID_FOR = frozenset({NO_POSITION, INSUFFICIENT_FUNDS, INSUFFICIENT_SHARES})
"""What the accounts, and not the book, refuse a close with."""


def own_orders(book: Book, order: Order) -> list[Order]:
    """The orders in the book that are on the side of `order` and of its broker, whoever the customer is."""
    broker_id = broker_of(order)
    return [each for each in book.orders.values() if each.side == order.side and broker_of(each) == broker_id]


def held_before(session: Statements, inbox: Sequence[Any]) -> dict[Account, int]:
    """What is held of the positions that commands of the inbox are to close, before this turn; one look-up for all."""
    rows = [row for row in inbox if row.kind == "close"]
    if not rows:
        return {}
    values = {"brokers": [row.broker_id for row in rows], "stocks": [row.stock_id for row in rows]}
    return {(row.broker_id, row.asset_id): row.held for row in session.execute(HELD, values)}


def resolve(
    command: Close, book: Book, stock_id: int, before: Mapping[Account, int], ledger: Ledger, reserved: int
) -> None:
    """Let `command` say what it comes to; `reserved` (cents or shares) was set aside for it.

    `before` is what `held_before` gave, and `ledger` what the turn has moved since.

    A sale is of what is held, as far as it was set aside or the cancelled orders free it: the shares that are reserved
    for orders behind this command in the inbox stay with them.
    """
    order = command.order
    account = (broker_of(order), stock_id)
    held = before.get(account, 0)
    if moved := ledger.changes.get(account):
        held += moved.available + moved.reserved
    own = own_orders(book, order)
    at_hand = reserved + sum(need_of_rest(each) for each in own)
    lot = book.rules.lot
    wanted = (held if order.side == ASK else -held) // lot * lot
    if wanted <= 0:
        command.refused = NO_POSITION
        return
    command.ids = [each.id for each in own]
    quantity = min(wanted, at_hand // lot * lot) if order.side == ASK else wanted
    if not quantity:
        command.refused = INSUFFICIENT_SHARES
        return
    resize(order, quantity)
    if need_of(order, order.price, quantity) > at_hand:
        command.refused = INSUFFICIENT_FUNDS


def resize(order: Order, quantity: int) -> None:
    """Have `order`, which is in no book yet, be for so many shares."""
    order.quantity = order.remaining = quantity
    if order.fees is not None:
        order.fees.left = quantity
