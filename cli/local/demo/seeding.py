"""The demo of a new exchange: stocks of the Brazilian market, and three brokers with money and shares."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cli.local.acts import origin
from cli.local.demo.keys import DemoBroker, DemoKeys, all_known_keys, keep_keys
from cli.local.demo.stocks import STOCKS
from database.session import connect, transaction
from embedded.folder import data_folder
from models import ApiKey, Broker, Stock
from models.accounts.broker import OWN
from services.identity.api_keys import hash_of_key
from services.identity.audit_log import audit
from services.identity.register import register_broker
from services.stocks.listing import list_stock
from settings.sections import Settings

BROKERS = ("Aurora", "Boreal", "Cruzeiro")
CASH = 10_000_000_000
"""Cents: 100 million."""
SHARES = 1_000_000
"""Of each stock."""


def seed(settings: Settings) -> DemoKeys | None:
    """List the stocks and register the brokers in a database that has neither; the keys, kept for later starts too.

    None where the database is in use and its keys are not known here.
    """
    folder = data_folder(settings)
    engine = connect(settings.database.url, pool_size=1, application="minex-demo")
    try:
        with transaction(engine) as session:
            if session.scalar(select(func.count()).where(Broker.id > OWN)) or session.scalar(
                select(func.count()).select_from(Stock)
            ):
                return _known_to(session, folder)
            group = settings.match.groups[0]
            for symbol, (name, price) in STOCKS.items():
                list_stock(
                    session, symbol=symbol, name=name, market=settings.market, group=group, reference_price=price
                )
                after = {"name": name, "reference_price": price}
                audit(session, origin(), "stock.list", f"stock:{symbol}", after=after)
            positions = dict.fromkeys(STOCKS, SHARES)
            brokers = []
            for name in BROKERS:
                new = register_broker(session, name=name, cash=CASH, positions=positions)
                brought = {"name": name, "cash": CASH, "positions": positions}
                audit(session, origin(), "broker.register", f"broker:{new.broker_id}", after=brought)
                brokers.append(DemoBroker(name, new.broker_id, new.api_key))
            keys = DemoKeys(tuple(brokers))
            # Before the commit: keys of brokers that were never stored are harmless, unknown keys of stored ones not.
            keep_keys(folder, keys)
    finally:
        engine.dispose()
    return keys


def _known_to(session: Session, folder: Path) -> DemoKeys | None:
    """The kept keys that this database knows, or None: the data folder may have served other databases, too."""
    hashes = set(session.scalars(select(ApiKey.key_hash)))
    for keys in all_known_keys(folder):
        if all(hash_of_key(broker.api_key) in hashes for broker in keys.brokers):
            return keys
    return None
