"""Execution reports: what each order's owner is told, with the order as it stood at that very event.

The engine's events carry live orders, which show their state after the whole command; walking the events backward
gives the state after each one, so that every fill is told with its own and the cumulative quantities (FIX 14, 151).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.terms.events import Accepted, Amended, Cancelled, Event, Expired, Rejected, Trade, Triggered
from engine.terms.order_types import STOPS
from engine.terms.orders import Order


@dataclass(slots=True)
class OrderState:
    """An order at one moment: shares, and `notional` (cents) as the sum of price x quantity of its fills.

    `waits` says that it is a stop which has not been elected.
    """

    price: int | None
    quantity: int
    filled: int
    remaining: int
    notional: int
    waits: bool = False


@dataclass(slots=True)
class ExecutionReport:
    """One private event of one order: `kind` is the Socket.IO event, `status` the order's status with it."""

    kind: str
    status: str
    order: Order
    state: OrderState
    event: Event
    trade_index: int | None = None
    """Which of the turn's trades it tells of."""


def reports_of(events: Sequence[Event]) -> list[ExecutionReport]:
    """The reports that these events of one command give, in order; a refused command gives none."""
    latest: dict[int, OrderState] = {}
    backward: list[ExecutionReport] = []
    for event in reversed(events):
        if isinstance(event, Trade):
            backward.append(_report(event, event.taker, latest))
            backward.append(_report(event, event.maker, latest))
        elif isinstance(event, Accepted | Amended | Cancelled | Expired | Triggered):
            backward.append(_report(event, event.order, latest))
    backward.reverse()
    return backward


def rejection(order: Order, event: Rejected) -> ExecutionReport:
    """The report of a new order that the book refused; nothing of it remains."""
    state = OrderState(order.price, order.quantity, 0, 0, 0)
    return ExecutionReport("ORDER_REJECTED", "rejected", order, state, event)


def _report(event: Event, order: Order, latest: dict[int, OrderState]) -> ExecutionReport:
    after = latest.get(id(order))
    if after is None:
        waits = order.type in STOPS and not order.elected
        after = OrderState(order.price, order.quantity, order.filled, order.remaining, order.filled_value, waits)
    kind, status, before = _told(event, after)
    latest[id(order)] = before
    return ExecutionReport(kind, status, order, after, event)


def _told(event: Event, after: OrderState) -> tuple[str, str, OrderState]:
    """The kind of report, the status after the event, and the state before it."""
    price, quantity, filled, remaining, notional, waits = (
        after.price,
        after.quantity,
        after.filled,
        after.remaining,
        after.notional,
        after.waits,
    )
    working = "partially_filled" if filled else "untriggered" if waits else "open"
    match event:
        case Trade():
            before = OrderState(
                price,
                quantity,
                filled - event.quantity,
                remaining + event.quantity,
                notional - event.price * event.quantity,
            )
            return "ORDER_FILLED", working if remaining else "filled", before
        case Cancelled():
            before = OrderState(price, quantity, filled, remaining + event.quantity, notional, waits)
            return "ORDER_CANCELLED", working if remaining else "cancelled", before
        case Expired():
            before = OrderState(price, quantity, filled, remaining + event.quantity, notional, waits)
            return "ORDER_EXPIRED", "expired", before
        case Amended():
            less = remaining - event.old_remaining
            old_price = event.old_price or None
            before = OrderState(old_price, quantity - less, filled, event.old_remaining, notional, waits)
            return "ORDER_AMENDED", working, before
        case Triggered():
            return "ORDER_TRIGGERED", working, OrderState(price, quantity, filled, remaining, notional, waits=True)
        case Accepted():
            return "ORDER_OPENED", working, after
    raise TypeError(f"no report for {event!r}")
