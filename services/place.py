"""Place orders: reserve, store the order, its command and its transfer in one statement.

The statement takes any number of orders, so a lone request and a batch go the same way. Every order keeps its own
answer: funds are given in order of arrival, and one that cannot be paid for is refused alone. First the statement
tries each account's orders together; an account that cannot pay for all of them gets them one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from config import Market
from models import CASH
from services import entry
from services.accounts import lock_accounts, open_short_accounts
from services.errors import ClientOrderIdReused, InsufficientFunds, InsufficientShares, MarketError
from services.store_orders import FundedOrder, NewOrder, reserve_and_store


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a NewOrder; `known` when its client_order_id had brought this order before."""

    order_id: int
    status: str
    known: bool


FIND_KNOWN = text("""
    SELECT id, status, fingerprint FROM orders WHERE broker_id = :broker_id AND client_order_id = :client_order_id
""")


def place_orders(
    session: Session, orders: Sequence[NewOrder], market: Market, now: datetime
) -> list[Placed | MarketError]:
    """Reserve for and store each order; one answer each, in the same order.

    A refusal is returned, not raised: InsufficientFunds, InsufficientShares, ClientOrderIdReused, or what `entry`
    checks. Raises IntegrityError when another process stores the same client_order_id at the same moment; the
    caller's retry then finds it. Nothing is durable before the caller's commit.
    """
    answers: dict[int, Placed | MarketError] = {}
    funded: dict[int, FundedOrder] = {}
    for n, order in enumerate(orders):
        try:
            funded[n] = _checked(order, market, now)
        except MarketError as refusal:
            answers[n] = _known(session, order) or refusal
    waves = _without_repeats(funded)
    if len(waves) > 1:
        lock_accounts(session, {(one.order.broker_id, one.asset_id) for one in funded.values()})
    for wave in waves:
        answers.update(_place(session, wave))
        short = {n: one for n, one in wave.items() if n not in answers}
        if short:
            asks = [one for one in short.values() if one.order.side == "ask"]
            open_short_accounts(session, [(one.order.broker_id, one.asset_id) for one in asks])
        for n, one in short.items():
            answers.update(_place(session, {n: one}))
            answers.setdefault(n, _refusal(one))
    return [answers[n] for n in range(len(orders))]


def _checked(order: NewOrder, market: Market, now: datetime) -> FundedOrder:
    stock = order.stock
    entry.check_state(stock)
    entry.check_valid_until(order.valid_until, now)
    protection = None
    if order.price is not None:
        entry.check_price(order.price, stock, market)
    elif order.side == "bid":
        protection = entry.protection_price(stock, market)
    entry.check_quantity(order.quantity, order.price or protection or 1, stock, market)
    if order.side == "ask":
        return FundedOrder(order, None, stock.id, order.quantity)
    return FundedOrder(order, protection, CASH, (order.price or protection or 0) * order.quantity)


def _without_repeats(funded: dict[int, FundedOrder]) -> list[dict[int, FundedOrder]]:
    """Waves in which no client_order_id comes twice, so that the second sees the first as known."""
    waves: list[dict[int, FundedOrder]] = []
    seen: dict[tuple[int, str], int] = {}
    for n, one in funded.items():
        wave = 0
        if one.order.client_order_id is not None:
            key = (one.order.broker_id, one.order.client_order_id)
            wave = seen[key] = seen.get(key, -1) + 1
        while len(waves) <= wave:
            waves.append({})
        waves[wave][n] = one
    return waves


def _place(session: Session, wave: Mapping[int, FundedOrder]) -> dict[int, Placed | MarketError]:
    """The statement's answers by place; orders whose account cannot pay for all of them are left out."""
    places = list(wave)
    answers: dict[int, Placed | MarketError] = {}
    for row in reserve_and_store(session, list(wave.values())):
        place = places[row.n - 1]
        if row.fingerprint == wave[place].order.fingerprint:
            answers[place] = Placed(row.id, row.status, row.known)
        else:
            answers[place] = _reused(row.id)
    return answers


def _known(session: Session, order: NewOrder) -> Placed | MarketError | None:
    """The first answer to this client_order_id, where an order that would be refused today was accepted before."""
    if order.client_order_id is None:
        return None
    row = session.execute(
        FIND_KNOWN, {"broker_id": order.broker_id, "client_order_id": order.client_order_id}
    ).one_or_none()
    if row is None:
        return None
    return Placed(row.id, row.status, True) if row.fingerprint == order.fingerprint else _reused(row.id)


def _reused(order_id: int) -> ClientOrderIdReused:
    return ClientOrderIdReused(field="client_order_id", order_id=order_id)


def _refusal(one: FundedOrder) -> MarketError:
    if one.order.side == "bid":
        return InsufficientFunds(f"This order needs {one.amount} cents.", field="quantity", required=one.amount)
    return InsufficientShares(f"This order needs {one.amount} shares.", field="quantity", required=one.amount)
