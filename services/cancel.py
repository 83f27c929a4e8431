"""Ask for a cancel. Whether it comes before a fill is decided by the inbox, once."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.errors import NotYourOrder, UnknownOrder


@dataclass(frozen=True, slots=True)
class Standing:
    """An order as it stands: whose it is, which stock's, and whether it can still trade."""

    order_id: int
    stock_id: int
    symbol: str
    group_name: str
    is_open: bool


STANDING = text("""
    SELECT o.id, o.broker_id, o.stock_id, s.symbol, s.group_name, o.closed_at IS NULL AS is_open
    FROM orders o JOIN stocks s ON s.id = o.stock_id WHERE o.id = :order_id
""")

ENQUEUE = text("""
    INSERT INTO commands (stock_id, kind, order_id, broker_id, payload, reply_to)
    VALUES (:stock_id, 'cancel', :order_id, :broker_id, '{}', :reply_to)
""")


def standing_of(session: Session, broker_id: int, order_id: int) -> Standing:
    """The broker's order as it stands. Raises UnknownOrder, NotYourOrder."""
    row = session.execute(STANDING, {"order_id": order_id}).one_or_none()
    if row is None:
        raise UnknownOrder(f"There is no order {order_id}.")
    if row.broker_id != broker_id:
        raise NotYourOrder
    return Standing(row.id, row.stock_id, row.symbol, row.group_name, row.is_open)


def cancel_order(session: Session, broker_id: int, order_id: int, reply_to: str | None = None) -> Standing:
    """Put a cancel into the inbox unless the order is already closed; the order as it stood before.

    Raises UnknownOrder, NotYourOrder.
    """
    standing = standing_of(session, broker_id, order_id)
    if standing.is_open:
        values = {"stock_id": standing.stock_id, "order_id": order_id, "broker_id": broker_id}
        session.execute(ENQUEUE, {**values, "reply_to": reply_to})
    return standing
