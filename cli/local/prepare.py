"""A database made ready for trading: tables, rights, an administrator's key, the demo's brokers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy.orm import Session

from cli.local.acts import origin
from cli.local.database import look_at, must_fit, must_serve
from cli.local.demo.enrolling import enroll
from cli.local.demo.keys import DemoBroker
from cli.local.demo.seeding import seed
from cli.local.demo.stocks import STOCKS
from cli.local.grants import grant
from cli.local.new_admin_key import keep_until_shown, unshown_key, was_shown
from cli.local.schema import upgrade
from cli.terminal import CommandError
from database.session import connect, transaction
from embedded.folder import data_folder
from services.identity.admin_key import ensure_admin_key, is_admin_key
from services.identity.audit_log import audit
from services.stocks.read_stocks import stock_outside
from settings.connections import Connections
from settings.sections import Settings


@dataclass(frozen=True)
class Prepared:
    """What whoever started it is to be told."""

    admin_key: str | None
    """Until it has been shown (`cli.local.new_admin_key`): the database keeps no more than its hash."""
    brokers: tuple[DemoBroker, ...]


def bring_schema(settings: Settings, wanted: Connections | None = None) -> None:
    """Let the owner bring the newest schema, and allow each role what it needs.

    Raises CommandError before anything is changed where the database cannot serve, or not `wanted` connections at once.
    """
    database = settings.database
    owner = must_serve(database.owner, "migrate")
    process = owner if database.url == database.owner else look_at(database.url)
    if wanted is not None:
        must_fit(process, wanted)
    if not owner.is_newest:
        upgrade(database.owner)
    grant(settings, owner, process)


def prepare(settings: Settings, *, demo: bool, tell: Callable[[str], None] = lambda words: None) -> Prepared:
    """Give a database of the newest schema what it lacks; may be called at every start. `tell` is for the log.

    Raises CommandError for a stock in a group that the settings do not name: its orders would wait for ever.
    """
    folder = data_folder(settings)
    engine = connect(settings.database.url, pool_size=1, application="minex-prepare")
    try:
        with transaction(engine) as session:
            refuse_unmatched(stock_outside(session, settings.match.groups), settings.match.groups)
            made = ensure_admin_key(session, settings.exchange.admin_key, partial(_tell, session, tell))
            if made is not None:
                keep_until_shown(folder, made)
            session.flush()
            admin_key = unshown_key(folder, partial(is_admin_key, session))
        if admin_key is None:
            was_shown(folder)  # the key of another database, or one that was never stored
    finally:
        engine.dispose()
    keys = seed(settings) if demo else None
    if settings.simulator.enabled and (keys or settings.simulator.stocks):
        enroll(settings, settings.simulator.stocks or tuple(STOCKS))
    return Prepared(admin_key, keys.brokers if keys else ())


def _tell(session: Session, tell: Callable[[str], None], words: str) -> None:
    audit(session, origin(), "admin_key.replace", "exchange", after={"what": words})
    tell(words)


def refuse_unmatched(stock: tuple[str, str] | None, groups: Sequence[str]) -> None:
    """Raises CommandError for a stock, given as (symbol, group), that no worker matches."""
    if stock is not None:
        symbol, group = stock
        what = f"{symbol} is listed in group {group}, which [match] groups ({', '.join(groups)}) does not name."
        raise CommandError(what, f"MINEX_MATCH_GROUPS={','.join((*groups, group))} ./minex up")
