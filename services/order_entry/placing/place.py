"""Place orders: reserve, store the order, its command and its transfer.

Any number of orders are placed together, so a lone request and a batch go the same way. Every order keeps its own
answer. The first round stores all of them, or none where one cannot be paid for, finds no room or is known by its
client_order_id. Then there is a second one, in which funds and room are given in order of arrival and what remains is
refused alone; so is there for brokers of whom one of that has been seen lately, and for a client_order_id that comes
twice. Of a broker with blocked accounts each order is looked at once more by itself: it may be one that closes what is
there (`store_closing`).

Each round is committed by itself, as soon as it is carried out: orders have nothing to do with each other, and the
balances that it locks are those that everybody else waits for. So what stores orders comes last in its round: a round
that is repeated has stored nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from database.statements import Statements
from services.accounts.fee_terms import terms_of
from services.errors import BrokerSuspended, Failed, MarketError
from services.order_entry.order_needs import needs_of
from services.order_entry.placing.answers import Answers, Placed, answers_of, first_answers
from services.order_entry.placing.memory import OrderMemory
from services.order_entry.placing.open_accounts import account_of, opening
from services.order_entry.placing.store import reserve_and_store_in_turn
from services.order_entry.placing.store_closing import store_closing
from services.order_entry.placing.store_together import reserve_and_store_together
from services.order_entry.requests import FundedOrder, NewOrder
from services.stocks.listing import StockRules, rules_of
from settings.sections import Fees, Limits, Market

Commit = Callable[[Callable[[Statements], Any]], Any]
"""Does some work with a session and commits it; gives what the work gives."""

PENDING = "pending"
"""The status of an order that has just been stored."""

USUAL = Limits()
"""The limits of an exchange that is not set otherwise."""


def place_orders(
    commit: Commit,
    orders: Sequence[NewOrder],
    rules: Mapping[str, StockRules],
    market: Market,
    now: datetime,
    limits: Limits = USUAL,
    memory: OrderMemory | None = None,
) -> list[Placed | MarketError | Failed]:
    """Reserve for and store each order; one durable answer each, in the same order.

    `rules` by symbol may be some moments old, or missing: whatever would be refused is checked again by those of now.
    `memory` is that of the process.
    A refusal is returned, not raised: InsufficientFunds, InsufficientShares, TooManyOpenOrders, ClientOrderIdReused, or
    what `checks` checks. Raises what `commit` raises for the first round: then none was placed. Whatever is raised
    later is the answer of those that had to wait, for their storing or for the reason why they were not; in a later
    round IntegrityError means that another process stored the same client_order_id at the same moment, and `commit` had
    better try that again.
    """
    memory = memory or OrderMemory()
    funded, unsure = needs_of(dict(enumerate(orders)), rules, market, now)

    def place_together(session: Statements) -> Answers:
        refused: dict[int, MarketError] = {}
        if unsure:
            again = {n: orders[n] for n in unsure}
            fresh = rules_of(session, {order.request.symbol for order in again.values()})
            allowed, refused = needs_of(again, fresh, market, now)
            funded.update(allowed)
        known = first_answers(session, {n: orders[n] for n in refused})
        sure = {n: entry for n, entry in funded.items() if not memory.is_doubtful(entry.order.broker_id, now)}
        return {**refused, **known, **_stored(limits, memory, _without_repeats(sure), session)}

    answers: dict[int, Placed | MarketError | Failed] = {**commit(place_together)}
    late = {n: entry for n, entry in funded.items() if n not in answers}
    while waiting := {n: entry for n, entry in late.items() if n not in answers}:
        _answer_later(answers, commit, _without_repeats(waiting), partial(_stored_in_turn, limits, memory.fees))
    for n in [n for n in late if isinstance(answers[n], BrokerSuspended)]:
        _answer_later(answers, commit, {n: late[n]}, partial(store_closing, limits, memory.fees))
    memory.doubt((entry.order.broker_id for n, entry in late.items() if not _is_new(answers[n])), now)
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


def _is_new(answer: Placed | MarketError | Failed) -> bool:
    return isinstance(answer, Placed) and not answer.known


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


def _stored(limits: Limits, memory: OrderMemory, together: dict[int, FundedOrder], session: Statements) -> Answers:
    """An answer to each order, or none at all: one of them had to wait."""
    if not together:
        return {}
    orders = list(together.values())
    new = opening([order for order in orders if account_of(order) not in memory.accounts])
    ids = reserve_and_store_together(session, orders, limits, new)
    if ids is None:
        return {}
    memory.accounts.know(map(account_of, orders))
    return {n: Placed(id_, PENDING, False, together[n].stock.group_name) for n, id_ in zip(together, ids, strict=True)}


def _stored_in_turn(limits: Limits, fees: Fees, together: dict[int, FundedOrder], session: Statements) -> Answers:
    """An answer to each order; it pays the fees that its broker has now."""
    terms = terms_of(session, {entry.order.broker_id for entry in together.values()})
    together = {n: entry.at(terms[entry.order.broker_id].rates(fees)) for n, entry in together.items()}
    orders = list(together.values())
    return answers_of(limits, together, reserve_and_store_in_turn(session, orders, limits, opening(orders)))
