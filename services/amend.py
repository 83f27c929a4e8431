"""Ask for an amendment, and set aside what it may need beyond what the order already has."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import Market
from models import CASH
from services import entry
from services.cancel import Standing
from services.errors import (
    AmendmentWaiting,
    InsufficientFunds,
    InsufficientShares,
    MarketOrderNotAmendable,
    NotYourOrder,
    OrderClosed,
    UnknownOrder,
)
from services.instants import microseconds
from services.listing import rules_of

UNCHANGED: Any = object()
"""Says that a field is not to be amended, where None means "without"."""

LOCK = text("""
    SELECT o.*, s.symbol, s.group_name FROM orders o JOIN stocks s ON s.id = o.stock_id
    WHERE o.id = :order_id FOR NO KEY UPDATE OF o
""")
"""The order's row stays locked to the commit: what is set aside is computed from what the worker last stored."""

RESERVE = text("""
    WITH reserved AS (
        UPDATE balances SET available = available - :amount, reserved = reserved + :amount
        WHERE broker_id = :broker_id AND asset_id = :asset_id AND available - :amount >= -credit_limit
        RETURNING broker_id, asset_id
    )
    INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket, order_id)
    SELECT 'reserve', asset_id, :amount, broker_id, 'available', broker_id, 'reserved', :order_id FROM reserved
    RETURNING id
""")

ENQUEUE = text("""
    INSERT INTO commands (stock_id, kind, order_id, broker_id, payload, reserved, reply_to)
    VALUES (:stock_id, 'amend', :order_id, :broker_id, CAST(:payload AS json), :reserved, :reply_to)
""")


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is to change: `quantity` is the new total (shares), `price` in cents; None leaves it as it is."""

    price: int | None = None
    quantity: int | None = None
    valid_until: datetime | None = UNCHANGED
    reply_to: str | None = None


def amend_order(
    session: Session, broker_id: int, order_id: int, wish: Amendment, market: Market, now: datetime
) -> Standing:
    """Put an amendment into the inbox; the order as it stood before.

    Raises UnknownOrder, NotYourOrder, OrderClosed, MarketOrderNotAmendable, AmendmentWaiting, InsufficientFunds,
    InsufficientShares, or what `entry` checks; the order then stays as it was.
    """
    order = _locked(session, broker_id, order_id)
    new_price = order.price if wish.price is None else wish.price
    new_quantity = order.quantity if wish.quantity is None else wish.quantity
    stock = rules_of(session, [order.symbol])[order.symbol]
    entry.check_state(stock)
    if new_price != order.price:
        entry.check_price(new_price, stock, market)
    entry.check_quantity(new_quantity, new_price, stock, market)
    extra = extra_need(order, new_price, new_quantity)
    payload: dict[str, Any] = {"price": new_price, "quantity": new_quantity}
    if wish.valid_until is not UNCHANGED:
        entry.check_valid_until(wish.valid_until, now)
        payload["expire_at"] = microseconds(wish.valid_until)
    _enqueue(session, order, payload, extra, wish.reply_to)
    if extra:
        _reserve(session, order, extra)
    return Standing(order.id, order.stock_id, order.symbol, order.group_name, is_open=True)


def extra_need(order: Any, new_price: int, new_quantity: int) -> int:
    """What the amended order may need beyond what it has reserved, whatever fills before the amendment is applied.

    Cents for a bid, shares for an ask. Fills before it take x shares from what remains, at the old price, and change
    the need by x times the difference of the prices: the largest need is at one of the ends, nothing or all filled.
    """
    more = new_quantity - order.quantity
    if order.side == "ask":
        return int(max(0, more))
    nothing_filled = (order.remaining_quantity + more) * new_price - order.remaining_quantity * order.price
    all_filled = more * new_price
    return int(max(0, nothing_filled, all_filled))


def _locked(session: Session, broker_id: int, order_id: int) -> Row[Any]:
    order = session.execute(LOCK, {"order_id": order_id}).one_or_none()
    if order is None:
        raise UnknownOrder(f"There is no order {order_id}.")
    if order.broker_id != broker_id:
        raise NotYourOrder
    if order.closed_at is not None:
        raise OrderClosed(f"Order {order_id} is already {order.status}.", status=order.status)
    if order.order_type == "market":
        raise MarketOrderNotAmendable
    return order


def _enqueue(session: Session, order: Any, payload: dict[str, Any], extra: int, reply_to: str | None) -> None:
    values = {"stock_id": order.stock_id, "order_id": order.id, "broker_id": order.broker_id, "reply_to": reply_to}
    try:
        session.execute(ENQUEUE, {**values, "payload": orjson.dumps(payload).decode(), "reserved": extra})
    except IntegrityError as error:
        if "waiting_amendment" in str(error.orig):
            raise AmendmentWaiting from error
        raise


def _reserve(session: Session, order: Any, extra: int) -> None:
    asset = CASH if order.side == "bid" else order.stock_id
    values = {"broker_id": order.broker_id, "asset_id": asset, "amount": extra, "order_id": order.id}
    if session.execute(RESERVE, values).one_or_none() is None:
        if order.side == "bid":
            raise InsufficientFunds(f"This amendment needs {extra} cents more.", required=extra)
        raise InsufficientShares(f"This amendment needs {extra} shares more.", required=extra)
