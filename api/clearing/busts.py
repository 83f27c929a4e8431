"""Ask for busts, confirm and reject them."""

import logging
from typing import Any, Final

from api.access.acts import act
from api.access.auth import caller, who
from api.access.resource import Resource
from api.access.rights import Access
from api.clearing.preview_schemas import BustPreviewSchema
from api.clearing.schemas import BustRequestSchema, BustSchema, RangeRequestSchema, RangeSchema, RejectionSchema
from api.components import components
from api.http.answers import Answer, answer
from api.trading.command_results import PREFER, preference_applied, result_of
from models.clearing.bust import DONE, REQUESTED
from services.clearing.busting.admission import (
    ALREADY_BUSTED,
    BUST_DECIDED,
    BUST_WINDOW_PASSED,
    GOES_ON,
    SECOND_PERSON_NEEDED,
)
from services.clearing.errors import (
    AlreadyBusted,
    BustDecided,
    BustRefused,
    BustWindowPassed,
    SecondPersonNeeded,
)
from services.clearing.preview import preview_bust
from services.clearing.ranges import ask_for_range
from services.clearing.read_busts import read_bust, read_some_busts
from services.clearing.requests import Asker, QueuedBust, ask, check_new_price, confirm, known_trade, reject
from services.errors import MarketError
from services.order_entry.command_result import CommandResult

log = logging.getLogger(__name__)

blueprint = Resource("busts", __name__, url_prefix="/api/v1", description="Trades that are taken back, or adjusted.")

TRADE: Final = "/trades/<trade_id:trade_id>"
BUST: Final = "/busts/<bust_id:bust_id>"

REFUSALS: Final[dict[str, type[MarketError]]] = {
    ALREADY_BUSTED: AlreadyBusted,
    BUST_DECIDED: BustDecided,
    BUST_WINDOW_PASSED: BustWindowPassed,
    SECOND_PERSON_NEEDED: SecondPersonNeeded,
}
"""What the turn of a bust refuses it with."""


def _trade(trade_id: int) -> Any:
    with components().database.reading_few() as session:
        return known_trade(session, trade_id)


def _bust(bust_id: int) -> dict[str, Any]:
    with components().database.reading_few() as session:
        return read_bust(session, components().settings.clearing.window_seconds, bust_id)


@blueprint.open_to(Access.CLEARING, f"{TRADE}/bust", "POST")
@blueprint.doc(parameters=[PREFER])
@blueprint.arguments(BustRequestSchema, of=_trade)
@blueprint.response(201, BustSchema, description="Done.")
@blueprint.alt_response(200, schema=BustPreviewSchema, description="With `dry_run`: what it would come to.")
@blueprint.alt_response(202, schema=BustSchema, description="It waits: for a second person, the guarantee, its turn.")
def bust_trade(request: dict[str, Any], trade_id: int) -> Answer:
    """Take a trade back, or have it stand at another price

    Money, shares and fees go back, and everything is as if the trade had never been. What a party has spent is advanced
    by the guarantee account. Above the threshold, all that one person asks for within the window counted together, a
    second person confirms.
    """
    check_new_price(_trade(trade_id), request["price"], components().settings.market)
    asker, terms = _asker(), components().settings.clearing
    if request["dry_run"]:
        with components().database.trying() as session:
            return answer(preview_bust(session, trade_id, asker, request["reason"], request["price"], terms))
    with components().replies.expect() as reply:
        with components().database.writing() as session:
            queued = ask(
                session, trade_id, request["reason"], asker, new_price=request["price"], reply_to=reply.address
            )
            after = {"bust_id": queued.bust_id, "reason": request["reason"], "price": request["price"]}
            act(session, "trade.bust" if request["price"] is None else "trade.adjust", f"trade:{trade_id}", after=after)
        log.info("bust %d of trade %d was asked for by %s", queued.bust_id, trade_id, who())
        return _answered(queued, _result(queued, reply), done=201)


@blueprint.open_to(Access.CLEARING, f"{BUST}/confirm", "POST")
@blueprint.doc(parameters=[PREFER])
@blueprint.response(200, BustSchema, description="Done.")
@blueprint.alt_response(202, schema=BustSchema, description="It waits: for the guarantee, or its turn.")
def confirm_bust(bust_id: int) -> Answer:
    """Confirm a bust that another person has asked for

    Whoever has asked cannot, nor can the administrator's key. There is as long a time for it as for asking.
    """
    person, window = caller().session, components().settings.clearing.window_seconds
    with components().replies.expect() as reply:
        with components().database.writing() as session:
            user = None if person is None else person.user_id
            queued = confirm(session, bust_id, user, caller().name, window, reply.address)
            act(session, "bust.confirm", f"bust:{bust_id}")
        log.info("bust %d was confirmed by %s", bust_id, who())
        return _answered(queued, _result(queued, reply), done=200)


@blueprint.open_to(Access.CLEARING, f"{BUST}/reject", "POST", of=_bust)
@blueprint.arguments(RejectionSchema, of=_bust)
@blueprint.response(200, BustSchema)
def reject_bust(request: dict[str, Any], bust_id: int) -> Answer:
    """Let the trade of a bust stand that waits for a second person, or for the guarantee account"""
    with components().database.writing() as session:
        reject(session, bust_id, caller().name, request["reason"])
        act(session, "bust.reject", f"bust:{bust_id}", after={"reason": request["reason"]})
    log.info("bust %d was rejected by %s", bust_id, who())
    return answer(_bust(bust_id))


@blueprint.open_to(Access.CLEARING, "/clearing/bust", "POST")
@blueprint.doc(parameters=[PREFER])
@blueprint.arguments(RangeRequestSchema)
@blueprint.response(202, RangeSchema, description="Each is decided by itself; `status` says how far it is.")
def bust_range(request: dict[str, Any]) -> Answer:
    """Take back all trades of a stock within a time

    Those that stand as they were executed, a thousand at most. They count together: where that is above the threshold,
    each of them waits for a second person.
    """
    with components().replies.expect() as reply:
        with components().database.writing() as session:
            queued = ask_for_range(session, **request, asker=_asker(), reply_to=reply.address)
            after = {"reason": request["reason"], "busts": [each.bust_id for each in queued]}
            act(session, "trades.bust", f"stock:{request['symbol']}", after=after)
        log.info("busts of %d trades of %s were asked for by %s", len(queued), request["symbol"], who())
        if queued:
            _result(queued[-1], reply)
    with components().database.reading() as session:
        window = components().settings.clearing.window_seconds
        return answer({"busts": read_some_busts(session, window, [each.bust_id for each in queued])}, 202)


def _asker() -> Asker:
    person = caller().session
    return Asker(caller().name, None if person is None else person.user_id)


def _result(queued: QueuedBust, reply: Any) -> CommandResult | None:
    components().intake.wake([(queued.symbol, queued.group_name)])
    return result_of(queued.command_id, reply)


def _answered(queued: QueuedBust, result: CommandResult | None, *, done: int) -> Answer:
    """What became of a bust by its turn, if that has come. Raises what it was refused with."""
    if result is not None and result.refused is not None and result.refused not in GOES_ON:
        refusal = REFUSALS.get(result.refused)
        if refusal is None:
            raise BustRefused(reason=result.refused, bust_id=queued.bust_id)
        raise refusal(bust_id=queued.bust_id)
    bust = _bust(queued.bust_id)
    return answer(bust, done if bust["status"] == DONE else 202, preference_applied(waited=bust["status"] != REQUESTED))
