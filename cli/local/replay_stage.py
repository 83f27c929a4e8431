"""What a replay lacks, put straight into the database of the exchange that runs here: a stock, money and shares."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime

from cli.terminal import CommandError
from database.session import connect, transaction
from database.statements import Statements
from models import CASH
from services.accounts.deposits import deposit
from services.accounts.read_accounts import read_portfolio
from services.identity.api_keys import holder_of
from services.stocks.listing import list_stock, listed_id
from services.stocks.run_schedule import enter_present_phase
from settings.sections import Settings


def list_here(database_url: str, settings: Settings, symbol: str) -> None:
    """List a stock that takes whatever a real market took: no band, a tick and a lot of one."""
    market = dataclasses.replace(settings.market, tick_size=1, lot_size=1, band_bps=0, dynamic_band_bps=0)
    engine = connect(database_url, pool_size=1, application="minex-replay")
    try:
        with transaction(engine) as session:
            list_stock(session, symbol=symbol, name=symbol, market=market, group=settings.match.groups[0])
            enter_present_phase(session, symbol, settings.session, datetime.now(UTC))
    finally:
        engine.dispose()


def fund_here(database_url: str, symbol: str, needs: Mapping[str, tuple[int, int]]) -> bool:
    """Let brokers, by API key, have at least so much cash (cents) and so many shares; True if they lacked anything.

    Raises CommandError where this exchange does not know a key.
    """
    engine = connect(database_url, pool_size=1, application="minex-replay")
    try:
        with transaction(engine) as session:
            lacked = [_fund(session, key, symbol, cash, shares) for key, (cash, shares) in needs.items()]
            return any(lacked)
    finally:
        engine.dispose()


def _fund(session: Statements, api_key: str, symbol: str, cash: int, shares: int) -> bool:
    holder = holder_of(session, api_key)
    if holder is None:
        raise CommandError(
            "The demo brokers are not of this exchange; name two brokers.",
            "MINEX_MAKER_KEY=… MINEX_TAKER_KEY=… minex replay FILE",
        )
    portfolio = read_portfolio(session, holder.broker_id)
    held = {position["symbol"]: position["available"] for position in portfolio["positions"]}
    missing = {CASH: cash - portfolio["available_cash"], listed_id(session, symbol): shares - held.get(symbol, 0)}
    lacking = {asset: amount for asset, amount in missing.items() if amount > 0}
    for asset, amount in lacking.items():
        deposit(session, holder.broker_id, asset, amount)
    return bool(lacking)
