"""Place orders: reserve, store the order, its command and its transfer in one statement.

The statement takes any number of orders, so a lone request and a batch go the same way. Every order keeps its own
answer: funds are given in order of arrival, and one that cannot be paid for is refused alone. Two wait for a second
round: the sale of a broker without an account for that stock, and what repeats a client_order_id.

Each statement is committed by itself, as soon as it is carried out: orders have nothing to do with each other, and the
balances that it locks are those that everybody else waits for. So what stores orders is the last statement of its
round: a round that is repeated has stored nothing.
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
    answer of those that had to wait, for their storing or for the reason why they were not. IntegrityError means that
    another process stored the same client_order_id at the same moment; `commit` had better try that again.
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
        return {**refused, **known, **_stored(session, _without_repeats(funded))}

    answers: dict[int, Placed | MarketError | Failed] = {**commit(place_together)}
    unpaid = {n: entry for n, entry in _without_repeats(funded).items() if n not in answers and _is_bid(entry)}
    while waiting := {n: entry for n, entry in funded.items() if n not in answers and n not in unpaid}:
        together = _without_repeats(waiting)
        _answer_later(answers, commit, together, _second_round)
        unpaid.update({n: entry for n, entry in together.items() if n not in answers})
    _answer_later(answers, commit, unpaid, _refusals)
    return [answers[n] for n in range(len(orders))]


def _answer_later(
    answers: dict[int, Placed | MarketError | Failed],
    commit: Commit,
    entries: dict[int, FundedOrder],
    work: Callable[[dict[int, FundedOrder], Statements], Answers],
) -> None:
    """Add what `work` answers to these orders, in a commit of its own, or that it failed."""
    if not entries:
        return
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


def _second_round(together: dict[int, FundedOrder], session: Statements) -> Answers:
    """As `_stored`. A broker that may sell short gets its share account when it first sells a stock."""
    sales = {(entry.order.broker_id, entry.asset_id) for entry in together.values() if not _is_bid(entry)}
    open_short_accounts(session, sales)
    return _stored(session, together)


def _is_bid(entry: FundedOrder) -> bool:
    return entry.order.request.side == "bid"


def _stored(session: Statements, together: dict[int, FundedOrder]) -> Answers:
    """The answers to those that were paid for, or were known by their client_order_id."""
    if not together:
        return {}
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


def _refusals(unpaid: dict[int, FundedOrder], session: Statements) -> Answers:
    """Why nothing was reserved for these. A broker that was suspended just now may still come with a key believed."""
    brokers = {entry.order.broker_id for entry in unpaid.values()}
    suspended = set(session.scalars(SUSPENDED, {"brokers": list(brokers)}))
    return {
        n: BrokerSuspended() if entry.order.broker_id in suspended else _refusal(entry) for n, entry in unpaid.items()
    }


def _refusal(entry: FundedOrder) -> MarketError:
    if entry.order.request.side == "bid":
        return InsufficientFunds(f"This order needs {entry.amount} cents.", field="quantity", required=entry.amount)
    return InsufficientShares(f"This order needs {entry.amount} shares.", field="quantity", required=entry.amount)
