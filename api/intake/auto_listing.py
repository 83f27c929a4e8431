"""Where the settings say so, an order for a symbol that nobody listed lists it."""

import logging
from collections.abc import Collection
from datetime import UTC, datetime

from api.intake.rules_cache import RulesCache
from api.runtime.database import Database
from services.errors import StockExists
from services.stocks.listing import list_stock
from services.stocks.run_schedule import enter_present_phase
from settings.sections import Settings

log = logging.getLogger(__name__)


def list_unknown(database: Database, rules: RulesCache, settings: Settings, symbols: Collection[str]) -> None:
    """List those of `symbols` that are not listed, in the first group and by the market's rules."""
    with database.looking() as session:
        known = rules.recent(session, symbols)
    for symbol in sorted(set(symbols) - known.keys()):
        _list(database, settings, symbol)


def _list(database: Database, settings: Settings, symbol: str) -> None:
    group = settings.match.groups[0]
    try:
        with database.writing() as session:
            list_stock(session, symbol=symbol, name=symbol, market=settings.market, group=group)
            enter_present_phase(session, symbol, settings.session, datetime.now(UTC))
    except StockExists:
        log.debug("%s was listed by another order at the same moment", symbol)
    else:
        log.info("listed %s for an order", symbol)
