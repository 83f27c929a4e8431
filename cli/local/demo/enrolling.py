"""The simulator's brokers in a database that runs here: registered once, with money and shares of what they trade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from cli.local.acts import origin
from database.session import connect, transaction
from engine.terms.states import DELISTED
from models import Broker, Stock
from services.accounts.deposits import deposit
from services.accounts.read_accounts import read_portfolio
from services.accounts.worth import value_of
from services.identity.api_keys import holder_of
from services.identity.audit_log import audit
from services.identity.own_keys import first_key
from services.identity.register import open_broker
from settings.sections import Settings
from simulator.traders import MAKERS, PEOPLE

NAMES: Final = {MAKERS: "Simulator: market makers", PEOPLE: "Simulator: people"}
CASH: Final = 1_000_000_000_000
"""Cents: ten thousand million in the currency."""
SHARES: Final = 10_000_000
"""Of each stock."""


def enroll(settings: Settings, symbols: Sequence[str]) -> list[str]:
    """Let the simulator's brokers, under the keys of the settings, have shares of those of `symbols` that are listed.

    They are registered in a database that has none of their names. A broker whose key was taken away stays as it is:
    somebody wanted that. Gives the symbols that are listed.
    """
    keys = {MAKERS: settings.simulator.makers_key, PEOPLE: settings.simulator.people_key}
    engine = connect(settings.database.url, pool_size=1, application="minex-simulator")
    try:
        with transaction(engine) as session:
            stocks = list(
                session.scalars(
                    select(Stock).where(Stock.symbol.in_(symbols), Stock.state != DELISTED).order_by(Stock.id)
                )
            )
            if session.scalar(select(Broker.id).where(Broker.name.in_(NAMES.values())).limit(1)) is None:
                for kind in NAMES if stocks else ():
                    _register(session, kind, keys[kind], stocks)
            else:
                for key in keys.values():
                    _supply(session, key, stocks)
            return [stock.symbol for stock in stocks]
    finally:
        engine.dispose()


def _register(session: Session, kind: str, key: str, stocks: Sequence[Stock]) -> None:
    name, positions = NAMES[kind], {stock.symbol: SHARES for stock in stocks}
    broker = open_broker(session, name=name, cash=CASH, positions=positions)
    first_key(session, broker.id, key)
    brought = {"name": name, "cash": CASH, "positions": positions}
    audit(session, origin(), "broker.register", f"broker:{broker.id}", after=brought)


def _supply(session: Session, key: str, stocks: Sequence[Stock]) -> None:
    """Let the owner of the key have shares of the stocks that it has never had any of."""
    holder = holder_of(session, key)
    if holder is None:
        return
    held = {position["symbol"] for position in read_portfolio(session, holder.broker_id)["positions"]}
    lacking = [stock for stock in stocks if stock.symbol not in held]
    for stock in lacking:
        deposit(session, holder.broker_id, stock.id, SHARES, cost=value_of(stock, SHARES))
    if lacking:
        brought = {"positions": {stock.symbol: SHARES for stock in lacking}}
        audit(session, origin(), "broker.deposit", f"broker:{holder.broker_id}", after=brought)
