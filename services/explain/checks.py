"""What was checked before a fill happened: what the order asked for, and what was found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from engine.terms.order_types import FOK, LIMITED, STOPS
from engine.terms.orders import BID, SIDES
from engine.terms.rules import NO_LIMIT, band_limits
from engine.terms.states import OPEN
from services.accounts.external_transfers import CASH_NAME
from services.explain.moment import Moment
from services.explain.own_fill import OWN_ACCOUNT, OwnFill
from services.timestamps import moment, timestamp

CHECKS: Final = (
    *("trading_state", "tick", "lot", "limit_price", "price_band", "dynamic_band", "stop_price", "valid_until"),
    *("fill_or_kill", "self_trade_prevention", "reserved"),
)
"""In the order in which they are told."""

Figures = dict[str, Any]


def checks_of(fill: OwnFill, then: Moment | None) -> list[Figures]:
    """Each as {check, passed, and the figures}; without the `then` of the trade what is known of the rows alone.

    Prices are cents, quantities and `needed` of a sale shares.
    """
    rest = [*_of_moment(fill, then)] if then is not None else [*_band_of_row(fill)]
    return sorted([*rest, *_of_rows(fill)], key=lambda check: CHECKS.index(check["check"]))


def _of_rows(fill: OwnFill) -> Iterator[Figures]:
    """What the rows say of any fill."""
    stock, price, limit = fill.stock, fill.trade.price, fill.limit
    lot, tick = stock.lot_size, stock.tick_size
    if not fill.trade.is_auction:
        yield _check("trading_state", True, state=OPEN)
    has_limit = fill.order["order_type"] in LIMITED
    if has_limit and limit is not None:
        yield _check("tick", limit % tick == 0, tick_size=tick, limit=limit)
    yield _check("lot", fill.quantity % lot == 0, lot_size=lot, quantity=fill.quantity)
    if limit is not None:
        is_within = (limit - price) * SIDES[fill.side] >= 0
        yield _check("limit_price", is_within, limit=limit, price=price)
    if fill.order["order_type"] in STOPS:
        stop, since = fill.order["stop_price"], fill.order["triggered_at"]
        yield _check("stop_price", since is not None, stop_price=stop, triggered_at=since)
    yield _reserved(fill)


def _band_of_row(fill: OwnFill) -> Iterator[Figures]:
    """The band lay around the reference that the trade was stored with, unless the command itself had moved that."""
    if not fill.of_command.others_before:
        yield _band("price_band", fill, fill.trade.reference_price, fill.stock.band_bps, fill.stock.tick_size)


def _of_moment(fill: OwnFill, then: Moment) -> Iterator[Figures]:
    """What only the book knows, as it was."""
    stock, order, trade = fill.stock, then.order, fill.trade
    if trade.is_auction:
        yield _check("trading_state", True, state=then.state)
    yield _band("price_band", fill, then.reference, stock.band_bps, stock.tick_size)
    if stock.dynamic_band_bps and not trade.is_auction:
        around = then.reference if then.around is None else then.around
        yield _band("dynamic_band", fill, around, stock.dynamic_band_bps, 1)
    if order.expire_at is not None:
        until = moment(order.expire_at)
        yield _check("valid_until", trade.executed_at < until, valid_until=timestamp(until))
    if order.tif == FOK:
        yield _check("fill_or_kill", order.filled == order.quantity, needed=order.quantity, filled=order.filled)
    if then.aggressor is not None:
        yield _prevention(fill, then, then.aggressor)


def _prevention(fill: OwnFill, then: Moment, aggressor: Any) -> Figures:
    """The mode is that of the order that took, and nobody else's to know; so is what it met of its own."""
    mode = (aggressor.stp or then.prevention) if fill.is_aggressor else None
    met = [place for level in then.levels for place in level]
    prevented = sum(place.prevented for place in met) if fill.is_aggressor else None
    return _check("self_trade_prevention", True, mode=mode, prevented=prevented)


def _band(check: str, fill: OwnFill, reference: int | None, basis_points: int, tick: int) -> Figures:
    lowest, highest = band_limits(reference, basis_points, tick)
    price = fill.trade.price
    bounds = {"lowest": lowest, "highest": None if highest == NO_LIMIT else highest}
    return _check(check, lowest <= price <= highest, reference=reference, **bounds, price=price)


def _reserved(fill: OwnFill) -> Figures:
    """What was set aside for these shares, by what left of it: for the price, the fee, and what came back."""
    is_buy = SIDES[fill.side] == BID
    asset = CASH_NAME if is_buy else fill.trade.symbol
    left = [
        each for each in fill.transfers
        if (each["from_account"], each["from_bucket"], each["asset"]) == (OWN_ACCOUNT, "reserved", asset)
    ]  # fmt: skip
    set_aside = sum(each["amount"] for each in left)
    needed = fill.trade.price * fill.trade.quantity + fill.fee if is_buy else fill.trade.quantity
    return _check("reserved", set_aside >= needed, asset=asset, needed=needed, set_aside=set_aside)


def _check(check: str, passed: bool, **figures: Any) -> Figures:
    return {"check": check, "passed": bool(passed), **figures}
