"""A database made ready for trading: an administrator's key, the demo's brokers."""

from __future__ import annotations

from dataclasses import dataclass

from cli.local.demo import seed
from cli.local.demo_keys import DemoBroker
from database.session import connect, transaction
from services.identity.admin_key import ensure_admin_key
from settings.sections import Settings


@dataclass(frozen=True)
class Prepared:
    """What whoever started it is to be told."""

    admin_key: str | None
    """Only if it was made just now: the database keeps no more than its hash."""
    brokers: tuple[DemoBroker, ...]


def prepare(settings: Settings, *, demo: bool) -> Prepared:
    """Give a database of the newest schema what it lacks; may be called at every start."""
    engine = connect(settings.database.url, pool_size=1, application="minex-prepare")
    try:
        with transaction(engine) as session:
            admin_key = ensure_admin_key(session, settings.exchange.admin_key)
    finally:
        engine.dispose()
    keys = seed(settings) if demo else None
    return Prepared(admin_key, keys.brokers if keys else ())
