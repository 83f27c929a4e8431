"""An amendment before it is made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from database.statements import Statements
from engine.book import Book
from engine.terms.commands import Amend
from engine.terms.orders import Order
from models import CASH
from services.errors import BrokerCloseOnly, MarketError, NotYourOrder, UnknownOrder, kept
from services.matching.books import ORDER, order_of
from services.matching.journal import engine_command
from services.order_entry.changing.amend import WAITING
from services.order_entry.changing.amendments import Amendment, Checked, amendable, checks_of, wanted
from services.order_entry.order_needs import extra_need, worst_price
from services.preview.funds import Funds, largest, read_funds
from services.preview.preview import Preview, ahead_of
from services.preview.refusals import Mending, collected, rejection
from services.preview.shown_book import shown_book
from services.preview.trial import Trial, tried
from services.settlement.fees import NO_FEES, FeeRates, fees_of_row
from services.settlement.ledger import need_of
from services.stocks.listing import rules_by_id
from services.timestamps import microseconds
from settings.sections import Settings

ROW = text("SELECT * FROM orders WHERE id = :order_id")
TAKEN = text(f"{ORDER} WHERE id = :order_id AND closed_at IS NULL AND priority IS NOT NULL")


def preview_amendment(session: Statements, request: Amendment, settings: Settings, now: datetime) -> Preview:
    """What this amendment would come to now. Raises UnknownOrder and NotYourOrder."""
    row = session.execute(ROW, {"order_id": request.order_id}).one_or_none()
    waiting = list(session.scalars(WAITING, {"ids": [request.order_id]}))
    refusals: list[MarketError] = []
    try:
        amendable(row, request, waiting)
    except (UnknownOrder, NotYourOrder):
        raise
    except MarketError as refusal:
        refusals.append(kept(refusal))
    assert row is not None  # noqa: S101 - `amendable` has raised
    stock = rules_by_id(session, [row.stock_id])[row.stock_id]
    funds = read_funds(session, row.broker_id, row.stock_id, row.side)
    checked = Checked.of(row, stock, request, settings.market)
    if not refusals:
        refusals += collected(checks_of(row, stock, request, settings.market, now))
        if checked.needed > 0 and funds.may_only_close:
            refusals.append(BrokerCloseOnly())
        elif checked.needed > funds.most(checked.asset_id):
            refusals.append(checked.refusal())
    return _previewed(session, request, checked, funds, refusals, settings, now)


def _previewed(
    session: Statements,
    request: Amendment,
    checked: Checked,
    funds: Funds,
    refusals: list[MarketError],
    settings: Settings,
    now: datetime,
) -> Preview:
    row, stock = checked.order, checked.stock
    price, quantity = wanted(row, request, stock, settings.market)
    stop_price = request.stop_price or row.stop_price
    keeps = price == (row.price or row.protection_price) and quantity <= row.quantity and stop_price == row.stop_price
    book, order, trial = _tried(session, row, checked, now)
    if trial.refused and not refusals:
        refusals.append(rejection(trial.refused))
    before = need_of(order_of(row), worst_price(row), row.remaining_quantity)
    left = 0 if row.closed_at else max(0, row.remaining_quantity + quantity - row.quantity)
    after = need_of(order_of(row), price or 0, left)
    mending = Mending(
        stock, settings.market, book, order.side, {"price": price, "stop_price": stop_price}, quantity,
        row.display_quantity, _most(checked, price or 0, funds, settings),
    )  # fmt: skip
    return Preview(
        refusals,
        mending,
        trial,
        "cash" if checked.asset_id == CASH else stock.symbol,
        after,
        funds.available(checked.asset_id) + before - after,
        trial.fee(fees_of_row(row)),
        NO_FEES if row.maker_bps is None else FeeRates(row.maker_bps, row.taker_bps),
        ahead_of(session, stock, order, trial, row.priority if keeps else None),
        keeps,
    )


def _tried(session: Statements, row: Row[Any], checked: Checked, now: datetime) -> tuple[Book, Order, Trial]:
    """The book with the order in it, the order, and how it would fare; one that waits in the inbox only rests."""
    stored = session.execute(TAKEN, {"order_id": row.id}).one_or_none()
    order = order_of(stored or row)
    price, left = checked.payload["price"], row.remaining_quantity + checked.payload["quantity"] - row.quantity
    book = shown_book(session, checked.stock, order, price, None if stored is None else order)
    if stored is None:
        return book, order, Trial(rests=0 if row.closed_at else max(0, left), price=price)
    command = engine_command("amend", row.id, row.broker_id, checked.payload)
    assert isinstance(command, Amend)  # noqa: S101 - its kind says so
    return book, order, tried(book, command, order, microseconds(now), price or 0)


def _most(checked: Checked, price: int, funds: Funds, settings: Settings) -> int:
    """The largest total that would be taken."""
    market = settings.market
    return largest(
        checked.stock.lot_size,
        min(market.max_quantity, market.max_notional // max(price, 1)),
        lambda quantity: extra_need(checked.order, price, quantity)[1],
        funds.most(checked.asset_id),
    )
