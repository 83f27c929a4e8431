"""How a fill came about: the rules that it went by, with the figures of its moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from engine.terms.orders import SIDES
from services.explain.checks import checks_of
from services.explain.meeting import Met
from services.explain.moment import Moment, moment_of
from services.explain.own_fill import OwnFill
from services.explain.price_rules import price_rule_of
from services.explain.tape_levels import tape_levels
from services.history.rebuilding import BrokenHistory, Reading, TooFar
from services.settlement.ledger import broker_of
from services.timestamps import moment, timestamp

MOST_LEVELS: Final = 50
MOST_PLACES: Final = 100
"""Levels that are told, and places at each; one's own are told in any case."""

LEFT_OUT: Final = {
    "too_far": "Too many commands lie between the last book that was kept and this fill.",
    "not_reproduced": "What was kept of the book does not bring this trade again.",
}
"""Why the book of the moment is not told, by code."""

Document = dict[str, Any]


def explain(fill: OwnFill, reading: Reading, pause: Callable[[], None] = lambda: None) -> Document:
    """The fill as the API explains it; `reading` opens sessions, for as short as may be.

    Where the book cannot be had as it was, the books are None, levels have only what the trades tell, and `left_out`
    says why.

    `improvement` is by how many cents the fill was better than the order's own limit, or than the most that a buy
    without one might pay: a buyer had set them aside and got them back, a seller got them on top. It is 0 for a sale
    without a limit. `fee` is what this fill cost the order that is told of.

    All of it is as the trade was executed. `busted` and `adjusted_price`, in cents, say what clearing has made of it.
    """
    then: Moment | None = None
    left_out = None
    try:
        then = moment_of(fill, reading, pause)
    except TooFar:
        left_out = "too_far"
    except BrokenHistory:
        left_out = "not_reproduced"
    if then is None:
        with reading() as session:
            levels = tape_levels(session, fill)
    else:
        levels = [_level(fill, then, level) for level in then.levels]
    trade = fill.trade
    return {
        "trade_id": trade.id,
        "symbol": trade.symbol,
        "side": fill.side,
        "price": trade.price,
        "quantity": trade.quantity,
        "liquidity": fill.liquidity,
        "executed_at": timestamp(trade.executed_at),
        "busted": trade.busted,
        "adjusted_price": trade.adjusted_price,
        "order": fill.order,
        "other_order_id": fill.other_order_id,
        "command_sequence": trade.command_sequence,
        "command": {"kind": _kind(fill), "sequenced_at": timestamp(trade.executed_at)},
        "checks": checks_of(fill, then),
        "levels": levels[:MOST_LEVELS],
        "more_levels": len(levels) > MOST_LEVELS,
        "hidden_taken": None if then is None else then.meeting.hidden_taken,
        "price_rule": price_rule_of(fill),
        "improvement": _improvement(fill),
        "fee": fill.fee,
        "transfers": fill.transfers,
        "book_before": None if then is None else then.book_before,
        "book_after": None if then is None else then.book_after,
        "left_out": left_out and {"code": left_out, "message": LEFT_OUT[left_out]},
    }


def _kind(fill: OwnFill) -> str | None:
    """What kind of command it was; that somebody else closes a position is nobody's business."""
    kind, is_own = fill.trade.kind, fill.trade.asked_by == fill.broker_id
    return "new" if kind == "close" and not is_own else kind


def _improvement(fill: OwnFill) -> int:
    if fill.limit is None:
        return 0
    better: int = (fill.limit - fill.trade.price) * SIDES[fill.side]
    return better * int(fill.trade.quantity)


def _level(fill: OwnFill, then: Moment, places: Sequence[Met]) -> Document:
    """A level with its places in the order of their priority; shares and orders are those that showed before."""
    before = [place for place in places if place.number < then.meeting.first_new_number]
    told = [place for n, place in enumerate(places) if n < MOST_PLACES or broker_of(place.order) == fill.broker_id]
    return {
        "price": places[0].price,
        "total_quantity": sum(place.quantity for place in before),
        "order_count": len(before),
        "orders": [_place(fill, place) for place in told],
        "more_orders": len(told) < len(places),
    }


def _place(fill: OwnFill, place: Met) -> Document:
    """One place in a queue. Of others' orders nothing is told but what the book and the tape have shown."""
    is_own = broker_of(place.order) == fill.broker_id
    return {
        "quantity": place.quantity,
        "entered_at": None if place.since is None else timestamp(moment(place.since)),
        "taken": place.taken,
        "in_this_trade": place.is_asked_about,
        "order_id": place.order.id if is_own else None,
        "prevented": place.prevented if is_own else 0,
    }
