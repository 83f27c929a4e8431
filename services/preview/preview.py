"""An order before it is placed, and an amendment before it is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from database.statements import Statements
from engine.terms.commands import New
from engine.terms.order_types import LIMITED
from engine.terms.orders import Order
from models import CASH
from services.accounts.fee_terms import terms_of
from services.errors import MarketError
from services.matching.journal import engine_command
from services.order_entry.placing.answers import first_answers
from services.order_entry.placing.order_columns import payload_of
from services.order_entry.requests import FundedOrder, NewOrder
from services.preview.funds import Funds, largest, read_funds
from services.preview.refusals import Mending, checks_of_new, collected, described, protection_or_none, rejection
from services.preview.shown_book import shares_ahead, shown_book
from services.preview.trial import Trial, tried
from services.prices import average_price
from services.settlement.fees import FeeRates, OrderFees
from services.stocks.listing import StockRules, rules_of, unknown_stock
from services.stocks.read_stocks import price_limits
from services.timestamps import microseconds
from settings.sections import Settings

TRIED = 0
"""The id of an order that is only tried; none that is stored has it."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an order would come to; `refusals` are told in their order."""

    refusals: list[MarketError]
    mending: Mending
    trial: Trial
    asset: str
    reserved: int
    """Cents or shares that it would have set aside, all in all."""
    available_after: int
    fee: int
    rates: FeeRates
    quantity_ahead: int | None
    keeps_priority: bool | None = None
    """Of an amendment only."""

    def document(self) -> dict[str, Any]:
        """As the API shows it but for `refusal`, the first of `refusals` in full."""
        trial, mending = self.trial, self.mending
        lowest, highest = price_limits(mending.stock, mending.market)
        return {
            "accepted": not self.refusals,
            "refusals": [described(refusal, mending) for refusal in self.refusals],
            "fills_now": trial.fills_now,
            "average_price": average_price(trial.traded, trial.fills_now),
            "rests": trial.rests,
            "quantity_ahead": self.quantity_ahead,
            "keeps_priority": self.keeps_priority,
            "notional": trial.notional,
            "fee": self.fee,
            "fee_bps": self.rates.maker_bps if trial.rests and not trial.fills else self.rates.taker_bps,
            "reserves": {"asset": self.asset, "amount": self.reserved},
            "available_after": self.available_after,
            "max_quantity": mending.most,
            "price_range": {"lowest": lowest, "highest": highest, "reference": mending.stock.reference_price},
        }


def preview_order(session: Statements, order: NewOrder, settings: Settings, now: datetime) -> Preview:
    """What this order would come to now. Raises UnknownStock."""
    request, market = order.request, settings.market
    stock = rules_of(session, [request.symbol]).get(request.symbol)
    if stock is None:
        raise unknown_stock(request.symbol, "symbol")
    rates = terms_of(session, [order.broker_id])[order.broker_id].rates(settings.fees)
    funded = FundedOrder.of(replace(order, rates=rates), stock, protection_or_none(request, stock, market))
    refusals = collected(checks_of_new(request, stock, market, now))
    refusals += [answer for answer in first_answers(session, {0: order}).values() if isinstance(answer, MarketError)]
    funds = read_funds(session, order.broker_id, stock.id, request.side)
    refusals += funds.refusals(funded, settings.limits)
    taker = _engine_order(funded)
    book = shown_book(session, stock, taker, taker.price)
    usual = funded.protection_price or request.stop_price or stock.last_price or stock.reference_price
    trial = tried(book, New(taker), taker, microseconds(now), usual)
    if trial.refused and not refusals:
        refusals.append(rejection(trial.refused))
    mending = Mending(
        stock, market, book, taker.side, {"price": request.price, "stop_price": request.stop_price},
        request.quantity, request.display_quantity, _most(funded, funds, settings),
    )  # fmt: skip
    return Preview(
        refusals,
        mending,
        trial,
        "cash" if funded.asset_id == CASH else stock.symbol,
        funded.amount,
        funds.available(funded.asset_id) - funded.amount,
        trial.fee(None if rates.are_none else OrderFees(rates, request.quantity)),
        rates,
        ahead_of(session, stock, taker, trial),
    )


def ahead_of(
    session: Statements, stock: StockRules, order: Order, trial: Trial, priority: int | None = None
) -> int | None:
    """Shares that stand before what would rest of the order, at its price; None where it joins no queue."""
    if not trial.rests or order.waits or order.type not in LIMITED or order.price is None:
        return None
    return shares_ahead(session, stock, order, order.price, priority)


def _engine_order(funded: FundedOrder) -> Order:
    command = engine_command("new", TRIED, funded.order.broker_id, payload_of(funded))
    assert isinstance(command, New)  # noqa: S101 - its kind says so
    order: Order = command.order
    return order


def _most(funded: FundedOrder, funds: Funds, settings: Settings) -> int | None:
    """The largest quantity that would be taken; None for a buy of which nobody knows what it may cost."""
    request, stock, market = funded.order.request, funded.stock, settings.market
    most, price = market.max_quantity, request.price or funded.protection_price
    if request.side == "ask":
        worst = price or request.stop_price or 1
        return largest(stock.lot_size, min(most, market.max_notional // worst), lambda q: q, funds.most(stock.id))
    if price is None:
        return None
    rates = funded.order.rates
    return largest(
        stock.lot_size,
        min(most, market.max_notional // price),
        lambda quantity: quantity * price + rates.most(quantity * price),
        funds.most(CASH),
    )
