"""Operators change a stock's trading state. Like an order it is a command: the book decides when it comes."""

import logging
from typing import Any

from api.access.acts import act
from api.access.auth import caller, who
from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.http.paths import STOCK
from api.http.problems import StateRefused
from api.market.stock_schemas import StateChangeSchema, StockSchema
from api.trading.command_results import PREFER, preference_applied, result_of
from engine.terms.states import DELISTED
from services.stocks.read_stocks import read_stock
from services.stocks.trading_states import ROLL, STATE, UNCROSS, StateRequest, ask_for

log = logging.getLogger(__name__)

blueprint = Resource("trading states", __name__, url_prefix="/api/v1", description="Halts, auctions and their ends.")


def _stock(symbol: str) -> dict[str, Any]:
    with components().database.reading_few() as session:
        return read_stock(session, symbol, components().settings)


@blueprint.open_to(Access.OPERATOR, f"{STOCK}/state", "POST")
@blueprint.doc(parameters=[PREFER])
@blueprint.arguments(StateChangeSchema, of=_stock)
@blueprint.response(200, StockSchema, description="Applied: the stock as it is now.")
@blueprint.alt_response(202, schema=StockSchema, description="Still queued: the stock as it was.")
def change_trading_state(request: dict[str, str | None], symbol: str) -> Answer:
    """Halt, resume, gather orders for an auction, or close

    `halted` and `closed` take only cancels; in `pre_open` and `auction` orders gather without matching. Going from
    there to `open` trades everything that can be at one price, and then matches as orders come.
    """
    return _changed(symbol, StateRequest(STATE, request["state"], request["reason"], by=caller().name))


@blueprint.open_to(Access.OPERATOR, f"{STOCK}/uncross", "POST")
@blueprint.doc(parameters=[PREFER])
@blueprint.response(200, StockSchema, description="Applied: the stock as it is now.")
@blueprint.alt_response(202, schema=StockSchema, description="Still queued: the stock as it was.")
def uncross_stock(symbol: str) -> Answer:
    """Trade what has gathered, all at one price, and stay in the same state

    Before closing after a closing auction. Refused where no orders gather.
    """
    return _changed(symbol, StateRequest(UNCROSS, by=caller().name))


@blueprint.open_to(Access.OPERATOR, f"{STOCK}/roll", "POST")
@blueprint.doc(parameters=[PREFER])
@blueprint.response(200, StockSchema, description="Applied: the stock as it is now.")
@blueprint.alt_response(202, schema=StockSchema, description="Still queued: the stock as it was.")
def roll_stock(symbol: str) -> Answer:
    """End the day of a stock, whatever its state

    DAY orders expire and the last price becomes the reference, as by the schedule once a day.
    """
    return _changed(symbol, StateRequest(ROLL, by=caller().name))


@blueprint.open_to(Access.ADMIN, STOCK, "DELETE")
@blueprint.doc(parameters=[PREFER])
@blueprint.response(200, StockSchema, description="Applied: the stock as it is now.")
@blueprint.alt_response(202, schema=StockSchema, description="Still queued: the stock as it was.")
def delist_stock(symbol: str) -> Answer:
    """Delist a stock, for good

    All its orders are cancelled, and it never trades again. Its trades stay, and so do shares of it until they are
    withdrawn; none come in. The symbol is not given to another stock.
    """
    return _changed(symbol, StateRequest(STATE, DELISTED, DELISTED, by=caller().name), "delist")


def _changed(symbol: str, change: StateRequest, what: str | None = None) -> Answer:
    """`what` is being done, for the log and the audit; the kind of the change where that says it."""
    what = what or change.kind
    with components().replies.expect() as reply:
        with components().database.writing() as session:
            stock = read_stock(session, symbol, components().settings)
            command_id = ask_for(session, symbol, change, reply.address)
            after = {"state": change.state, "reason": change.reason} if change.kind == STATE else None
            act(session, f"stock.{what}", f"stock:{symbol}", before={"state": stock["state"]}, after=after)
        log.info("%s of %s was asked for by %s", f"{what} {change.state or ''}".rstrip(), stock["symbol"], who())
        components().intake.wake([(symbol, stock["group"])])
        result = result_of(command_id, reply)
    components().intake.forget_rules()
    if result is not None and result.refused:
        raise StateRefused(result.reason, reason=result.refused)
    done = result is not None
    return answer(_stock(symbol), 200 if done else 202, preference_applied(waited=done))
