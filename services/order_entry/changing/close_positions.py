"""Ask for positions to be closed: for each a market order for all of it, entered once one's own orders of that side go.

What the order may need is set aside as it is asked for, as far as it is there; what more it needs comes from the orders
that are cancelled with it (`services.matching.closing`). So nothing has to be found when its turn comes.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, text

from database.statements import Statements
from engine.terms.order_types import IOC, MARKET
from engine.terms.rules import CANCEL_RESTING
from engine.terms.states import PRE_OPEN
from models import CASH
from services.accounts.fee_terms import terms_of
from services.errors import BrokerSuspended, MarketError, OffLot, StockClosed, kept
from services.order_entry import checks
from services.order_entry.errors import NoPosition
from services.order_entry.order_needs import protection_of
from services.order_entry.placing.order_columns import document_of, inserting_orders, requested
from services.order_entry.requests import FundedOrder, NewOrder, OrderRequest, QueuedCommand
from services.order_entry.reserve import recording
from services.stocks.listing import StockRules, listed_id, rules_by_id
from settings.sections import Fees, Market

LOCK = text("""
    SELECT asset_id, available, available + reserved AS held, credit_limit, blocked FROM balances
    WHERE broker_id = :broker_id AND (
        asset_id = 1 OR available + reserved <> 0 AND asset_id = coalesce(CAST(:stock_id AS bigint), asset_id)
    )
    ORDER BY asset_id FOR NO KEY UPDATE
""")
"""The accounts stay locked to the commit, in the order that everybody keeps."""

STATUS = text("SELECT status FROM brokers WHERE id = :broker_id")
SUSPENDED = "suspended"
"""Whoever may only close what it has may do this, too."""

CUSTOMERS = text("""
    SELECT stock_id, min(document_number) AS first, max(document_number) AS last FROM orders
    WHERE broker_id = :broker_id AND stock_id = ANY(:stock_ids) AND closed_at IS NULL GROUP BY stock_id
""")

ASK_TO_CLOSE = text(f"""
    WITH {requested()}, fresh AS MATERIALIZED (
        SELECT nextval('orders_id_seq') AS id, nextval('commands_id_seq') AS command_id, request.* FROM request
    ), {inserting_orders("fresh")}, inbox AS (
        INSERT INTO commands (id, stock_id, kind, order_id, broker_id, payload, reserved, reply_to)
        SELECT command_id, stock_id, 'close', id, broker_id, payload, amount, reply_to FROM fresh ORDER BY n
    ), {recording("fresh", "id")}, share AS (
        SELECT a.asset_id, CASE a.asset_id WHEN f.asset_id THEN f.amount ELSE 0 END AS amount
        FROM fresh f CROSS JOIN LATERAL (VALUES (CAST(1 AS bigint)), (f.stock_id)) AS a (asset_id)
    ), needed AS MATERIALIZED (
        SELECT asset_id, CAST(sum(amount) AS bigint) AS amount, count(*) AS orders FROM share GROUP BY asset_id
    ), set_aside AS (
        UPDATE balances b SET available = b.available - n.amount, reserved = b.reserved + n.amount,
            open_orders = b.open_orders + n.orders
        FROM needed n WHERE b.broker_id = :broker_id AND b.asset_id = n.asset_id
    )
    SELECT n, id, command_id FROM fresh
""")  # noqa: S608 - all parts are ours
"""Every order counts in two accounts, as any other. How many a broker may have open is not asked: one less position."""


@dataclass(frozen=True, slots=True)
class Closing:
    """A position to be closed: of this symbol, by this order, or why not."""

    symbol: str
    asked: QueuedCommand | MarketError


def ask_to_close(
    session: Statements,
    broker_id: int,
    market: Market,
    fees: Fees,
    symbol: str | None = None,
    reply_to: str | None = None,
    refuse: Callable[[str], MarketError | None] = lambda group: None,
) -> list[Closing]:
    """Put a command into the inbox for each position of the broker, or that in `symbol`, in the order of their stocks.

    Raises UnknownStock; NoPosition where none is held of `symbol`; BrokerSuspended. Other refusals are in the answers:
    `StockHalted`, `StockClosed` (also before the opening), `OffLot` for less than a lot, `NoReferencePrice`, those of
    sizes, and what `refuse` has against the stock's group. Nothing is durable before the caller's commit.
    """
    stock_id = None if symbol is None else listed_id(session, symbol)
    rows = session.execute(LOCK, {"broker_id": broker_id, "stock_id": stock_id})
    accounts = {row.asset_id: row for row in rows}
    cash = accounts.pop(CASH)
    if cash.blocked and session.scalar(STATUS, {"broker_id": broker_id}) == SUSPENDED:
        raise BrokerSuspended
    if symbol is not None and not accounts:
        raise NoPosition(f"There is no position in {symbol}.")
    stocks = rules_by_id(session, accounts)
    customers = _customers(session, broker_id, accounts)
    rates = terms_of(session, [broker_id])[broker_id].rates(fees)
    left = cash.available + cash.credit_limit
    answers: dict[int, QueuedCommand | MarketError] = {}
    orders: list[FundedOrder] = []
    for asset_id, account in accounts.items():
        stock, customer = stocks[asset_id], customers.get(asset_id, str(broker_id))
        try:
            if refusal := refuse(stock.group_name):
                raise refusal
            order = _closing_order(account, stock, customer, market)
            funded = _funded(NewOrder(broker_id, order, reply_to, rates=rates), stock, market, account, left)
        except MarketError as error:
            answers[asset_id] = kept(error)
            continue
        orders.append(funded)
        left -= funded.amount if funded.asset_id == CASH else 0
    answers |= _store(session, broker_id, orders)
    return [Closing(stocks[asset_id].symbol, answers[asset_id]) for asset_id in accounts]


def _customers(session: Statements, broker_id: int, stock_ids: Collection[int]) -> dict[int, str]:
    """By stock the end customer whose orders are the only ones that the broker has open there.

    Who closes does not trade with himself. Where the broker has orders of several customers, it is none of theirs.
    """
    rows = session.execute(CUSTOMERS, {"broker_id": broker_id, "stock_ids": list(stock_ids)})
    return {row.stock_id: row.first for row in rows if row.first == row.last}


def _closing_order(account: Row[Any], stock: StockRules, customer: str, market: Market) -> OrderRequest:
    """The market order that brings a position to zero, as far as whole lots go. Raises what entry checks."""
    if stock.state == PRE_OPEN:
        raise StockClosed(f"{stock.symbol} is not open yet.", state=stock.state)
    checks.check_state(stock)
    quantity = abs(account.held) // stock.lot_size * stock.lot_size
    if not quantity:
        raise OffLot(f"{abs(account.held)} shares are less than a lot of {stock.lot_size}.")
    side = "ask" if account.held > 0 else "bid"
    return OrderRequest(
        stock.symbol, customer, side, MARKET, IOC, None, quantity, b"", self_trade_prevention=CANCEL_RESTING
    )


def _funded(order: NewOrder, stock: StockRules, market: Market, account: Row[Any], cash: int) -> FundedOrder:
    """The order with what can be set aside for it now: of the shares that are held, or of so much `cash` (cents)."""
    protection = protection_of(order.request, stock, market)
    checks.check_quantity(order.request.quantity, protection or 1, stock, market)
    funded = FundedOrder.of(order, stock, protection)
    at_hand = cash if funded.asset_id == CASH else account.available
    return replace(funded, amount=max(0, min(funded.amount, at_hand)))


def _store(session: Statements, broker_id: int, orders: Sequence[FundedOrder]) -> dict[int, QueuedCommand]:
    """The commands, by stock."""
    if not orders:
        return {}
    stocks = [order.stock for order in orders]
    rows = session.execute(ASK_TO_CLOSE, {"broker_id": broker_id, "document": document_of(orders)})
    return {
        stock.id: QueuedCommand(row.id, stock.id, stock.symbol, stock.group_name, row.command_id)
        for stock, row in zip(stocks, sorted(rows, key=attrgetter("n")), strict=True)
    }
