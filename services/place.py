"""Place orders: reserve, store the order, its command and its transfer in one statement.

The statement takes any number of orders, so a lone request and a batch go the same way. Every order keeps its own
answer: funds are given in order of arrival, and one that cannot be paid for is refused alone. First the statement
tries each account's orders together; an account that cannot pay for all of them gets them one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from config import Market
from models import CASH
from services import entry
from services.accounts import lock_accounts, open_short_accounts
from services.errors import ClientOrderIdReused, InsufficientFunds, InsufficientShares, MarketError
from services.instants import microseconds
from services.listing import StockRules


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as asked for: prices in cents, quantity in shares. `fingerprint` identifies the wish itself."""

    broker_id: int
    stock: StockRules
    document_number: str
    side: str
    order_type: str
    time_in_force: str
    price: int | None
    quantity: int
    fingerprint: bytes
    valid_until: datetime | None = None
    self_trade_prevention: str | None = None
    client_order_id: str | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a NewOrder; `known` when its client_order_id had brought this order before."""

    order_id: int
    status: str
    known: bool


@dataclass(frozen=True, slots=True)
class _Funded:
    """A checked order with what it needs: `amount` (cents or shares) of `asset_id`."""

    order: NewOrder
    protection_price: int | None
    asset_id: int
    amount: int


PLACE = text("""
    WITH wish AS (
        SELECT * FROM unnest(
            CAST(:broker_id AS bigint[]), CAST(:stock_id AS bigint[]), CAST(:document_number AS text[]),
            CAST(:side AS text[]), CAST(:order_type AS text[]), CAST(:time_in_force AS text[]),
            CAST(:price AS bigint[]), CAST(:protection_price AS bigint[]), CAST(:quantity AS bigint[]),
            CAST(:self_trade_prevention AS text[]), CAST(:valid_until AS timestamptz[]),
            CAST(:client_order_id AS text[]), CAST(:fingerprint AS bytea[]), CAST(:asset_id AS bigint[]),
            CAST(:amount AS bigint[]), CAST(:payload AS text[]), CAST(:reply_to AS text[])
        ) WITH ORDINALITY AS w (
            broker_id, stock_id, document_number, side, order_type, time_in_force, price, protection_price, quantity,
            self_trade_prevention, valid_until, client_order_id, fingerprint, asset_id, amount, payload, reply_to, n
        )
    ), known AS (
        SELECT w.n, o.id, o.status, o.fingerprint
        FROM wish w JOIN orders o ON o.broker_id = w.broker_id AND o.client_order_id = w.client_order_id
    ), fresh AS (
        SELECT w.*, nextval('orders_id_seq') AS id FROM wish w WHERE w.n NOT IN (SELECT n FROM known)
    ), need AS (
        SELECT broker_id, asset_id, sum(amount) AS amount FROM fresh GROUP BY broker_id, asset_id
    ), locked AS MATERIALIZED (
        SELECT b.broker_id, b.asset_id, need.amount
        FROM balances b JOIN need USING (broker_id, asset_id)
        ORDER BY b.broker_id, b.asset_id FOR NO KEY UPDATE OF b
    ), reserved AS (
        UPDATE balances b SET available = b.available - l.amount, reserved = b.reserved + l.amount
        FROM locked l
        WHERE b.broker_id = l.broker_id AND b.asset_id = l.asset_id AND b.available - l.amount >= -b.credit_limit
        RETURNING b.broker_id, b.asset_id
    ), accepted AS (
        SELECT fresh.* FROM fresh JOIN reserved USING (broker_id, asset_id)
    ), stored AS (
        INSERT INTO orders (id, broker_id, stock_id, document_number, side, order_type, time_in_force, price,
            protection_price, quantity, remaining_quantity, self_trade_prevention, valid_until, client_order_id,
            fingerprint)
        SELECT id, broker_id, stock_id, document_number, side, order_type, time_in_force, price,
            protection_price, quantity, quantity, self_trade_prevention, valid_until, client_order_id, fingerprint
        FROM accepted
    ), inbox AS (
        INSERT INTO commands (stock_id, kind, order_id, broker_id, payload, reply_to)
        SELECT stock_id, 'new', id, broker_id, CAST(payload AS json), reply_to FROM accepted ORDER BY n
    ), ledger AS (
        INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket, order_id)
        SELECT 'reserve', asset_id, amount, broker_id, 'available', broker_id, 'reserved', id FROM accepted
    )
    SELECT n, id, 'pending' AS status, fingerprint, false AS known FROM accepted
    UNION ALL SELECT n, id, status, fingerprint, true FROM known
""")
"""What an account needs is summed as numeric: wishes that nobody could pay for must not pass the end of a bigint and
take the whole batch with them."""

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
    funded: dict[int, _Funded] = {}
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


def _checked(order: NewOrder, market: Market, now: datetime) -> _Funded:
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
        return _Funded(order, None, stock.id, order.quantity)
    return _Funded(order, protection, CASH, (order.price or protection or 0) * order.quantity)


def _without_repeats(funded: dict[int, _Funded]) -> list[dict[int, _Funded]]:
    """Waves in which no client_order_id comes twice, so that the second sees the first as known."""
    waves: list[dict[int, _Funded]] = []
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


def _place(session: Session, wave: Mapping[int, _Funded]) -> dict[int, Placed | MarketError]:
    """The statement's answers by place; orders whose account cannot pay for all of them are left out."""
    places = list(wave)
    rows = session.execute(PLACE, _columns(list(wave.values())))
    answers: dict[int, Placed | MarketError] = {}
    for row in rows:
        place = places[row.n - 1]
        if row.fingerprint == wave[place].order.fingerprint:
            answers[place] = Placed(row.id, row.status, row.known)
        else:
            answers[place] = _reused(row.id)
    return answers


def _columns(wave: Sequence[_Funded]) -> dict[str, list[Any]]:
    orders = [one.order for one in wave]
    columns: dict[str, list[Any]] = {
        name: [getattr(order, name) for order in orders]
        for name in (
            "broker_id", "document_number", "side", "order_type", "time_in_force", "price", "quantity",
            "self_trade_prevention", "valid_until", "client_order_id", "fingerprint", "reply_to",
        )
    }  # fmt: skip
    columns["stock_id"] = [order.stock.id for order in orders]
    columns["protection_price"] = [one.protection_price for one in wave]
    columns["asset_id"] = [one.asset_id for one in wave]
    columns["amount"] = [one.amount for one in wave]
    columns["payload"] = [_journal(one) for one in wave]
    return columns


def _journal(one: _Funded) -> str:
    """What the engine will be told, kept as it was: amendments change the order's row, never this."""
    order = one.order
    return orjson.dumps(
        {
            "document": order.document_number,
            "side": order.side,
            "type": order.order_type,
            "tif": order.time_in_force,
            "price": order.price if order.price is not None else one.protection_price,
            "quantity": order.quantity,
            "expire_at": microseconds(order.valid_until),
            "stp": order.self_trade_prevention,
        }
    ).decode()


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


def _refusal(one: _Funded) -> MarketError:
    if one.order.side == "bid":
        return InsufficientFunds(f"This order needs {one.amount} cents.", field="quantity", required=one.amount)
    return InsufficientShares(f"This order needs {one.amount} shares.", field="quantity", required=one.amount)
