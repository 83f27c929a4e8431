"""Place orders: reserve, store the order, its command and its transfer in one statement.

The statement takes any number of orders, so a lone request and a batch go the same way. Every order keeps its own
answer: funds are given in order of arrival, and one that cannot be paid for is refused alone. Two wait for a second
round: the sale of a broker without an account for that stock, and what repeats a client_order_id.

Each statement is committed by itself, as soon as it is carried out: orders have nothing to do with each other, and the
balances that it locks are those that everybody else waits for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import text

from database.statements import Statements
from services.accounts.deposits import open_short_accounts
from services.errors import (
    BrokerSuspended,
    ClientOrderIdReused,
    Failed,
    InsufficientFunds,
    InsufficientShares,
    MarketError,
)
from services.order_entry.order_needs import needs_of
from services.order_entry.requests import FundedOrder, NewOrder
from services.order_entry.store import reserve_and_store
from services.stocks.listing import StockRules, rules_of
from settings.sections import Market

Commit = Callable[[Callable[[Statements], Any]], Any]
"""Does some work with a session and commits it; gives what the work gives."""


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

SUSPENDED = text("SELECT id FROM brokers WHERE id = ANY(:brokers) AND status = 'suspended'")


def place_orders(
    commit: Commit, orders: Sequence[NewOrder], rules: Mapping[str, StockRules], market: Market, now: datetime
) -> list[Placed | MarketError | Failed]:
    """Reserve for and store each order; one durable answer each, in the same order.

    `rules` by symbol may be some moments old, or missing: whatever would be refused is checked again by those of now.
    A refusal is returned, not raised: InsufficientFunds, InsufficientShares, ClientOrderIdReused, or what `checks`
    checks. Raises what `commit` raises for the first round: then none was placed. Whatever is raised later is the
    answer of those that had to wait. IntegrityError means that another process stored the same client_order_id at the
    same moment; `commit` had better try that again.
    """
    funded, doubtful = needs_of(dict(enumerate(orders)), rules, market, now)

    def place_together(session: Statements) -> Answers:
        refused: dict[int, MarketError] = {}
        if doubtful:
            again = {n: orders[n] for n in doubtful}
            fresh = rules_of(session, {order.request.symbol for order in again.values()})
            allowed, refused = needs_of(again, fresh, market, now)
            funded.update(allowed)
        known = _known(session, {n: orders[n] for n in refused})
        return {**refused, **known, **_first_round(session, _without_repeats(dict(sorted(funded.items()))))}

    answers: dict[int, Placed | MarketError | Failed] = {**commit(place_together)}
    while waiting := {n: entry for n, entry in funded.items() if n not in answers}:
        try:
            answers.update(commit(partial(_second_round, _without_repeats(waiting))))
        except Exception as error:  # noqa: BLE001 - the others are placed, and their answers must not be lost
            answers.update(dict.fromkeys(waiting, Failed(error)))
    return [answers[n] for n in range(len(orders))]


def _without_repeats(funded: dict[int, FundedOrder]) -> dict[int, FundedOrder]:
    """Those in which no client_order_id comes twice: the second must see the first as known."""
    once: dict[int, FundedOrder] = {}
    seen: set[tuple[int, str]] = set()
    for n, entry in funded.items():
        name = entry.order.request.client_order_id
        if name is None or (entry.order.broker_id, name) not in seen:
            once[n] = entry
        if name is not None:
            seen.add((entry.order.broker_id, name))
    return once


def _first_round(session: Statements, together: dict[int, FundedOrder]) -> Answers:
    """An answer for each, but for the sale that might be paid for once its broker's share account is open."""
    if not together:
        return {}
    answers = _stored(session, together)
    unpaid = {n: entry for n, entry in together.items() if n not in answers and entry.order.request.side == "bid"}
    return {**answers, **_refusals(session, unpaid)}


def _second_round(together: dict[int, FundedOrder], session: Statements) -> Answers:
    """An answer for each. A broker that may sell short gets its share account when it first sells a stock."""
    sales = {
        (entry.order.broker_id, entry.asset_id) for entry in together.values() if entry.order.request.side == "ask"
    }
    open_short_accounts(session, sales)
    answers = _stored(session, together)
    return {**answers, **_refusals(session, {n: entry for n, entry in together.items() if n not in answers})}


def _stored(session: Statements, together: dict[int, FundedOrder]) -> Answers:
    """The answers to those that were paid for, or were known by their client_order_id."""
    places = list(together)
    answers: Answers = {}
    for row in reserve_and_store(session, list(together.values())):
        place = places[row.n - 1]
        funded = together[place]
        if row.fingerprint == funded.order.request.fingerprint:
            answers[place] = Placed(row.id, row.status, row.known, "" if row.known else funded.stock.group_name)
        else:
            answers[place] = _reused(row.id)
    return answers


def _known(session: Statements, orders: dict[int, NewOrder]) -> Answers:
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


def _refusals(session: Statements, unpaid: dict[int, FundedOrder]) -> Answers:
    """Why nothing was reserved for these. A broker that was suspended just now may still come with a key believed."""
    if not unpaid:
        return {}
    brokers = {entry.order.broker_id for entry in unpaid.values()}
    suspended = set(session.scalars(SUSPENDED, {"brokers": list(brokers)}))
    return {
        n: BrokerSuspended() if entry.order.broker_id in suspended else _refusal(entry) for n, entry in unpaid.items()
    }


def _refusal(entry: FundedOrder) -> MarketError:
    if entry.order.request.side == "bid":
        return InsufficientFunds(f"This order needs {entry.amount} cents.", field="quantity", required=entry.amount)
    return InsufficientShares(f"This order needs {entry.amount} shares.", field="quantity", required=entry.amount)
