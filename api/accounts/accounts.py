"""One's own account: cash, holdings and fills."""

from datetime import UTC, datetime
from typing import Any

from api.access.auth import broker_id
from api.access.resource import Resource
from api.access.rights import Access
from api.accounts.account_schemas import BalanceSchema, EquityHistorySchema, HistoryQuerySchema, PortfolioSchema
from api.components import components
from api.http.answers import Answer, answer
from api.http.paging import LARGEST, page, position_in
from api.http.problems import InvalidRequest
from api.market.market_data_schemas import FillsQuerySchema, OwnFillPageSchema
from services.accounts.equity import read_equity
from services.accounts.read_accounts import read_balance, read_portfolio
from services.accounts.read_fills import FillFilter, read_fills, read_fills_after

blueprint = Resource("accounts", __name__, url_prefix="/api/v1", description="Cash, holdings and fills.")


@blueprint.open_to(Access.READ, "/balance")
@blueprint.response(200, BalanceSchema)
def get_balance() -> Answer:
    """Cash: what trades brought, what is available, what is reserved"""
    with components().database.reading_few() as session:
        return answer(read_balance(session, broker_id()))


@blueprint.open_to(Access.READ, "/portfolio")
@blueprint.response(200, PortfolioSchema)
def get_portfolio() -> Answer:
    """Holdings at average cost, with profit and loss"""
    with components().database.reading() as session:
        return answer(read_portfolio(session, broker_id()))


@blueprint.open_to(Access.READ, "/portfolio/history")
@blueprint.arguments(HistoryQuerySchema, location="query")
@blueprint.response(200, EquityHistorySchema)
def get_equity_history(query: dict[str, Any]) -> Answer:
    """What one's account was worth, hour by hour or day by day, oldest first

    The last point is of now. What came in and went out is in `net_deposits` and is no profit. At most the newest 1,000.
    """
    since, until, now = query["since"], query["until"], datetime.now(UTC)
    if since is not None and until is not None and since >= until:
        raise InvalidRequest(errors={"to": ["Must be after from."]})
    with components().database.reading() as session:
        return answer({"items": list(read_equity(session, broker_id(), query["interval"], now, since, until))})


@blueprint.open_to(Access.READ, "/trades")
@blueprint.arguments(FillsQuerySchema, location="query")
@blueprint.response(200, OwnFillPageSchema)
def list_fills(query: dict[str, Any]) -> Answer:
    """One's own fills, newest first, or with `after` what has come since

    `account_sequence` is gapless over all events of a broker's own orders, of which fills are some. After an outage ask
    for the fills after the last one that you know, page by page: they come oldest first, and none is left out.
    """
    limit, after = query["limit"], query["after"]
    wanted = FillFilter(*(query[name] for name in ("order_id", "symbol", "side", "since", "until")))
    position = position_in(query["cursor"], 1)
    with components().database.reading() as session:
        if after is None:
            before = position[0] if position else LARGEST
            fills = read_fills(session, broker_id(), before, limit + 1, wanted)
        else:
            known = position[0] if position else after
            fills = read_fills_after(session, broker_id(), known, limit + 1, wanted)
    return page(fills, limit, lambda fill: [fill["account_sequence"]])
