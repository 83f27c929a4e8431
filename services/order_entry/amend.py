"""Ask for amendments, and set aside what they may need beyond what their orders already have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, text

from database.statements import Statements
from models import CASH
from services.errors import (
    AmendmentWaiting,
    InsufficientFunds,
    InsufficientShares,
    MarketError,
    MarketOrderNotAmendable,
    NotYourOrder,
    OrderClosed,
    StopNotAmendable,
    UnknownOrder,
    ValidUntilNotAmendable,
    kept,
)
from services.order_entry import checks
from services.order_entry.requests import QueuedCommand
from services.order_entry.reserve import ACCEPTED, LOCKED, PAID
from services.stocks.listing import StockRules, rules_by_id
from services.timestamps import microseconds
from settings.sections import Market

UNCHANGED: Any = object()
"""Says that a field is not to be amended, where None means "without"."""

LOCK = text("SELECT * FROM orders WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")
"""The rows stay locked to the commit: what is set aside is computed from what the worker last stored."""

WAITING = text("SELECT order_id FROM commands WHERE order_id = ANY(:ids) AND sequence IS NULL AND kind = 'amend'")
"""To be asked with the orders locked: then none can be added, and what the worker is taking just now still shows."""

AMEND = text(f"""
    WITH fresh AS MATERIALIZED (
        SELECT *, nextval('commands_id_seq') AS command_id
        FROM ROWS FROM (json_to_recordset(CAST(:document AS json)) AS (
            order_id bigint, stock_id bigint, broker_id bigint, asset_id bigint, amount bigint, payload json,
            reply_to text
        )) WITH ORDINALITY AS w (order_id, stock_id, broker_id, asset_id, amount, payload, reply_to, n)
    ), share AS (SELECT n, broker_id, asset_id, amount, 0 AS orders FROM fresh WHERE amount > 0),
    {LOCKED}, {PAID}, granted AS (SELECT n FROM paid), {ACCEPTED}, inbox AS (
        INSERT INTO commands (id, stock_id, kind, order_id, broker_id, payload, reserved, reply_to)
        SELECT command_id, stock_id, 'amend', order_id, broker_id, payload, amount, reply_to FROM accepted ORDER BY n
    ), ledger AS (
        INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket, order_id)
        SELECT 'reserve', asset_id, amount, broker_id, 'available', broker_id, 'reserved', order_id
        FROM accepted WHERE amount > 0
    )
    SELECT n, command_id FROM accepted
""")  # noqa: S608 - all parts are ours


@dataclass(frozen=True, slots=True)
class Amendment:
    """The changes that a broker wants: `quantity` is the new total (shares), `price` in cents; None changes nothing."""

    broker_id: int
    order_id: int
    price: int | None = None
    quantity: int | None = None
    valid_until: datetime | None = UNCHANGED
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """An amendment that may be made, as far as checks can tell: `extra` (cents or shares) is what it may need more."""

    order: Row[Any]
    stock: StockRules
    payload: dict[str, Any]
    extra: int
    reply_to: str | None


def amend_orders(
    session: Statements,
    requests: Sequence[Amendment],
    market: Market,
    now: datetime,
    refuse: Callable[[str], MarketError | None] = lambda group: None,
) -> list[QueuedCommand | MarketError]:
    """Put amendments into the inbox; one answer each, in the same order: the order as it stood before, or a refusal.

    A refusal leaves its order as it was: it is one of those that are imported here, what `checks` checks, or what
    `refuse` has against the order's group. Nothing is durable before the caller's commit.
    """
    ids = {"ids": sorted({request.order_id for request in requests})}
    orders = {row.id: row for row in session.execute(LOCK, ids)}
    being_amended = set(session.scalars(WAITING, ids))
    stocks = rules_by_id(session, {order.stock_id for order in orders.values()})
    answers: dict[int, QueuedCommand | MarketError] = {}
    checked: dict[int, Checked] = {}
    for n, request in enumerate(requests):
        try:
            order = _amendable(orders.get(request.order_id), request, being_amended)
            stock = stocks[order.stock_id]
            if refusal := refuse(stock.group_name):
                raise refusal
            checked[n] = _checked(order, stock, request, market, now)
            being_amended.add(order.id)
        except MarketError as error:
            answers[n] = kept(error)
    answers |= _store(session, checked)
    return [answers[n] for n in range(len(requests))]


def extra_need(order: Any, new_price: int, new_quantity: int) -> int:
    """What the amended order may need at most beyond what it has reserved: cents for a bid, shares for an ask.

    What fills before the book has it takes x shares from what remains, at the old price, and changes the need by x
    times the difference of the prices: the largest need is at one of the ends, nothing or all filled.
    """
    more = new_quantity - order.quantity
    if order.side == "ask":
        return int(max(0, more))
    nothing_filled = (order.remaining_quantity + more) * new_price - order.remaining_quantity * worst_price(order)
    return int(max(0, nothing_filled, more * new_price))


def worst_price(order: Any) -> int:
    """The price (cents) that the order reserves at: its limit, or the protection of a buy that has none."""
    return order.price or order.protection_price or 0


def _amendable(order: Row[Any] | None, request: Amendment, being_amended: set[int]) -> Row[Any]:
    if order is None:
        raise UnknownOrder(f"There is no order {request.order_id}.")
    if order.broker_id != request.broker_id:
        raise NotYourOrder
    if order.closed_at is not None:
        raise OrderClosed(f"Order {order.id} is already {order.status}.", status=order.status)
    if order.order_type == "market":
        raise MarketOrderNotAmendable
    if order.order_type == "stop" and request.price is not None:
        raise StopNotAmendable
    if request.valid_until is not UNCHANGED and order.time_in_force not in ("gtc", "gtd"):
        raise ValidUntilNotAmendable
    if order.id in being_amended:
        raise AmendmentWaiting
    return order


def _checked(order: Row[Any], stock: StockRules, request: Amendment, market: Market, now: datetime) -> Checked:
    new_price = order.price if request.price is None else request.price
    new_quantity = order.quantity if request.quantity is None else request.quantity
    checks.check_state(stock)
    if new_price != order.price:
        checks.check_price(new_price, stock, market)
    worst = new_price or worst_price(order)
    checks.check_quantity(new_quantity, worst or order.stop_price, stock, market)
    if order.display_quantity is not None and new_quantity > order.quantity:
        checks.check_display(order.display_quantity, new_quantity, stock, market, "quantity")
    payload: dict[str, Any] = {"price": new_price, "quantity": new_quantity}
    if request.valid_until is not UNCHANGED:
        checks.check_valid_until(request.valid_until, now)
        payload["expire_at"] = microseconds(request.valid_until)
    return Checked(order, stock, payload, extra_need(order, worst, new_quantity), request.reply_to)


def _store(session: Statements, checked: dict[int, Checked]) -> dict[int, QueuedCommand | MarketError]:
    """An answer for each: what their accounts have is given in order of arrival."""
    if not checked:
        return {}
    places = list(checked)
    document = orjson.dumps(list(map(_row, checked.values()))).decode()
    answers: dict[int, QueuedCommand | MarketError] = {n: _refusal(amendment) for n, amendment in checked.items()}
    for row in session.execute(AMEND, {"document": document}):
        n = places[row.n - 1]
        stock = checked[n].stock
        answers[n] = QueuedCommand(checked[n].order.id, stock.id, stock.symbol, stock.group_name, row.command_id)
    return answers


def _row(amendment: Checked) -> dict[str, Any]:
    order = amendment.order
    return {
        "order_id": order.id,
        "stock_id": order.stock_id,
        "broker_id": order.broker_id,
        "asset_id": CASH if order.side == "bid" else order.stock_id,
        "amount": amendment.extra,
        "payload": amendment.payload,
        "reply_to": amendment.reply_to,
    }


def _refusal(amendment: Checked) -> MarketError:
    if amendment.order.side == "bid":
        return InsufficientFunds(f"This amendment needs {amendment.extra} cents more.", required=amendment.extra)
    return InsufficientShares(f"This amendment needs {amendment.extra} shares more.", required=amendment.extra)
