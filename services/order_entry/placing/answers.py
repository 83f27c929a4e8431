"""What each of the orders that came together is answered: the order that it became, or why it did not."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from database.statements import Statements
from services.errors import (
    BrokerCloseOnly,
    BrokerSuspended,
    ClientOrderIdReused,
    InsufficientFunds,
    InsufficientShares,
    MarketError,
    TooManyOpenOrders,
)
from services.order_entry.placing.room import most_open
from services.order_entry.placing.store import Refusal
from services.order_entry.requests import FundedOrder, NewOrder
from settings.sections import Limits


@dataclass(frozen=True, slots=True)
class Placed:
    """The order that a NewOrder became; `known` when its client_order_id had brought this order before."""

    order_id: int
    status: str
    known: bool
    group_name: str = ""
    """The group whose worker is to be woken; empty for an order that is known."""


Answers = dict[int, Placed | MarketError]
"""By the order's place among those that came together."""

FIND_KNOWN = text("""
    SELECT o.broker_id, o.client_order_id, o.id, o.status, o.fingerprint
    FROM unnest(CAST(:brokers AS bigint[]), CAST(:names AS text[])) AS t (broker_id, client_order_id)
    JOIN orders o ON o.broker_id = t.broker_id AND o.client_order_id = t.client_order_id
""")


def answers_of(limits: Limits, together: dict[int, FundedOrder], rows: Iterable[Any]) -> Answers:
    """The answers to orders that were stored in their turn, from the rows that this gave."""
    places = list(together)
    answers: Answers = {}
    for row in rows:
        place = places[row.n - 1]
        funded = together[place]
        if row.id is None:
            answers[place] = refusal_of(Refusal(row.status), funded, limits)
        elif row.fingerprint == funded.order.request.fingerprint:
            answers[place] = Placed(row.id, row.status, row.known, "" if row.known else funded.stock.group_name)
        else:
            answers[place] = _reused(row.id)
    return answers


def first_answers(session: Statements, orders: dict[int, NewOrder]) -> Answers:
    """The first answers to those client_order_ids whose orders would be refused today and were accepted before."""
    asked = {n: (order.broker_id, order.request.client_order_id) for n, order in orders.items()}
    named = {n: name for n, name in asked.items() if name[1] is not None}
    if not named:
        return {}
    brokers, names = zip(*named.values(), strict=True)
    rows = session.execute(FIND_KNOWN, {"brokers": list(brokers), "names": list(names)})
    known = {(row.broker_id, row.client_order_id): row for row in rows}
    return {n: _first_answer(known[name], orders[n]) for n, name in named.items() if name in known}


def _first_answer(row: Any, order: NewOrder) -> Placed | MarketError:
    return Placed(row.id, row.status, True) if row.fingerprint == order.request.fingerprint else _reused(row.id)


def _reused(order_id: int) -> ClientOrderIdReused:
    return ClientOrderIdReused(field="client_order_id", order_id=order_id)


def refusal_of(reason: Refusal, entry: FundedOrder, limits: Limits) -> MarketError:
    """What tells the broker why nothing was stored. One suspended just now may still come with a key believed."""
    match reason:
        case Refusal.BLOCKED:
            return BrokerSuspended()
        case Refusal.CLOSE_ONLY:
            return BrokerCloseOnly()
        case Refusal.OPEN_ORDERS:
            return _no_room(reason, most_open(limits, entry.order.is_guest), "in all")
        case Refusal.OPEN_ORDERS_PER_STOCK:
            return _no_room(reason, limits.open_orders_per_stock, "in one stock")
    if entry.order.request.side == "bid":
        return InsufficientFunds(f"This order needs {entry.amount} cents.", field="quantity", required=entry.amount)
    return InsufficientShares(f"This order needs {entry.amount} shares.", field="quantity", required=entry.amount)


def _no_room(limit: str, most: int, where: str) -> TooManyOpenOrders:
    return TooManyOpenOrders(f"A broker may have {most} open orders {where}.", limit=str(limit), most=most)
