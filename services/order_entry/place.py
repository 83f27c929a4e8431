"""Place orders: reserve, store the order, its command and its transfer in one statement.

The statement takes any number of orders, so a lone request and a batch go the same way. Every order keeps its own
answer. The first round stores those of brokers that have funds and room for all that they ask for; the others wait for
a second one, in which funds and room are given in order of arrival and what remains is refused alone. A repeated
client_order_id waits, too.

Each statement is committed by itself, as soon as it is carried out: orders have nothing to do with each other, and the
balances that it locks are those that everybody else waits for. So what stores orders is the last statement of its
round: a round that is repeated has stored nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import text

from database.statements import Statements
from services.accounts.known_accounts import KnownAccounts
from services.errors import (
    BrokerSuspended,
    ClientOrderIdReused,
    Failed,
    InsufficientFunds,
    InsufficientShares,
    MarketError,
    TooManyOpenOrders,
)
from services.order_entry.open_accounts import account_of, opening
from services.order_entry.order_needs import needs_of
from services.order_entry.requests import FundedOrder, NewOrder
from services.order_entry.store import Refusal, reserve_and_store, reserve_and_store_in_turn
from services.stocks.listing import StockRules, rules_of
from settings.sections import Limits, Market

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

USUAL = Limits()
"""The limits of an exchange that is not set otherwise."""


def place_orders(
    commit: Commit,
    orders: Sequence[NewOrder],
    rules: Mapping[str, StockRules],
    market: Market,
    now: datetime,
    limits: Limits = USUAL,
    accounts: KnownAccounts | None = None,
) -> list[Placed | MarketError | Failed]:
    """Reserve for and store each order; one durable answer each, in the same order.

    `rules` by symbol may be some moments old, or missing: whatever would be refused is checked again by those of now.
    `accounts` are not opened again.
    A refusal is returned, not raised: InsufficientFunds, InsufficientShares, TooManyOpenOrders, ClientOrderIdReused, or
    what `checks` checks. Raises what `commit` raises for the first round: then none was placed. Whatever is raised
    later is the answer of those that had to wait, for their storing or for the reason why they were not.
    IntegrityError means that another process stored the same client_order_id at the same moment; `commit` had better
    try that again.
    """
    known_accounts = KnownAccounts() if accounts is None else accounts
    funded, doubtful = needs_of(dict(enumerate(orders)), rules, market, now)

    def place_together(session: Statements) -> Answers:
        refused: dict[int, MarketError] = {}
        if doubtful:
            again = {n: orders[n] for n in doubtful}
            fresh = rules_of(session, {order.request.symbol for order in again.values()})
            allowed, refused = needs_of(again, fresh, market, now)
            funded.update(allowed)
        known = _known(session, {n: orders[n] for n in refused})
        return {**refused, **known, **_stored(limits, known_accounts, _without_repeats(funded), session)}

    answers: dict[int, Placed | MarketError | Failed] = {**commit(place_together)}
    while waiting := {n: entry for n, entry in funded.items() if n not in answers}:
        _answer_later(answers, commit, _without_repeats(waiting), partial(_stored_in_turn, limits))
    return [answers[n] for n in range(len(orders))]


def _answer_later(
    answers: dict[int, Placed | MarketError | Failed],
    commit: Commit,
    entries: dict[int, FundedOrder],
    work: Callable[[dict[int, FundedOrder], Statements], Answers],
) -> None:
    """Add what `work` answers to these orders, in a commit of its own, or that it failed."""
    try:
        answers.update(commit(partial(work, entries)))
    except Exception as error:  # noqa: BLE001 - the others are placed, and their answers must not be lost
        answers.update(dict.fromkeys(entries, Failed(error)))


def _without_repeats(funded: dict[int, FundedOrder]) -> dict[int, FundedOrder]:
    """Those in which no client_order_id comes twice, in their order: the second must see the first as known."""
    once: dict[int, FundedOrder] = {}
    seen: set[tuple[int, str]] = set()
    for n, entry in sorted(funded.items()):
        name = entry.order.request.client_order_id
        if name is None or (entry.order.broker_id, name) not in seen:
            once[n] = entry
        if name is not None:
            seen.add((entry.order.broker_id, name))
    return once


def _stored(limits: Limits, accounts: KnownAccounts, together: dict[int, FundedOrder], session: Statements) -> Answers:
    """The answers to the orders of those brokers that have funds and room for all; and to what is known."""
    if not together:
        return {}
    orders = list(together.values())
    new = opening([order for order in orders if account_of(order) not in accounts])
    answers = _answers(limits, together, reserve_and_store(session, orders, limits, new))
    accounts.know(account_of(together[n]) for n, answer in answers.items() if isinstance(answer, Placed))
    return answers


def _stored_in_turn(limits: Limits, together: dict[int, FundedOrder], session: Statements) -> Answers:
    """An answer to each order."""
    orders = list(together.values())
    return _answers(limits, together, reserve_and_store_in_turn(session, orders, limits, opening(orders)))


def _answers(limits: Limits, together: dict[int, FundedOrder], rows: Iterable[Any]) -> Answers:
    places = list(together)
    answers: Answers = {}
    for row in rows:
        place = places[row.n - 1]
        funded = together[place]
        if row.id is None:
            answers[place] = _refusal(Refusal(row.status), funded, limits)
        elif row.fingerprint == funded.order.request.fingerprint:
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


def _refusal(reason: Refusal, entry: FundedOrder, limits: Limits) -> MarketError:
    """What tells the broker why nothing was stored. One suspended just now may still come with a key believed."""
    match reason:
        case Refusal.BLOCKED:
            return BrokerSuspended()
        case Refusal.OPEN_ORDERS:
            return _no_room(reason, limits.open_orders, "in all")
        case Refusal.OPEN_ORDERS_PER_STOCK:
            return _no_room(reason, limits.open_orders_per_stock, "in one stock")
    if entry.order.request.side == "bid":
        return InsufficientFunds(f"This order needs {entry.amount} cents.", field="quantity", required=entry.amount)
    return InsufficientShares(f"This order needs {entry.amount} shares.", field="quantity", required=entry.amount)


def _no_room(limit: str, most: int, where: str) -> TooManyOpenOrders:
    return TooManyOpenOrders(f"A broker may have {most} open orders {where}.", limit=str(limit), most=most)
