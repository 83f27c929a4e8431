"""What closing a position comes to when its turn comes: which orders go, how many shares are left to trade, who pays.

Only this stock's turns, deposits and withdrawals change a position, and what was set aside for the order cannot be
withdrawn: so nothing that is found here changes before the turn is stored.
"""

from sqlalchemy import text

from database.statements import Statements
from engine.book import Book
from engine.codes import INSUFFICIENT_FUNDS, INSUFFICIENT_SHARES, NO_POSITION
from engine.commands import Close
from engine.orders import ASK, Order
from services.settlement.ledger import Ledger, broker_of, need_of, need_of_rest

HELD = text("SELECT available + reserved FROM balances WHERE broker_id = :broker_id AND asset_id = :stock_id")

AS_PAID_FOR = frozenset({NO_POSITION, INSUFFICIENT_FUNDS, INSUFFICIENT_SHARES})
"""What the accounts, and not the book, refuse a close with."""


def own_orders(book: Book, order: Order) -> list[Order]:
    """The orders in the book that are on the side of `order` and of its broker, whoever the customer is."""
    broker_id = broker_of(order)
    return [each for each in book.orders.values() if each.side == order.side and broker_of(each) == broker_id]


def resolve(command: Close, book: Book, session: Statements, stock_id: int, ledger: Ledger, reserved: int) -> None:
    """Let `command` say what it comes to; `reserved` (cents or shares) was set aside for it, `ledger` is of the turn.

    A sale is of what is held, as far as it was set aside or the cancelled orders free it: the shares that are reserved
    for orders behind this command in the inbox stay with them.
    """
    order = command.order
    account = (broker_of(order), stock_id)
    held = session.scalar(HELD, {"broker_id": account[0], "stock_id": stock_id}) or 0
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
