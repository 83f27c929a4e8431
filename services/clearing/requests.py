"""Ask for a bust, confirm what another has asked for, reject it.

What is asked for is a command of the stock's inbox: whether it may be done is decided when its turn comes, by what is
true then (`admission`). Here is only refused early what would be refused there for sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import text

from database.statements import Statements
from models.clearing.bust import DONE, LIVE, NEEDS_CONFIRMATION, REJECTED, REQUESTED, WAITING_FOR_GUARANTEE
from services.accounts.errors import UnknownTrade
from services.clearing.errors import (
    AlreadyBusted,
    BustDecided,
    BustWindowPassed,
    SecondPersonNeeded,
    UnchangedPrice,
    UnknownBust,
)
from services.order_entry.checks import check_tick
from services.timestamps import timestamp
from settings.sections import Market

ADD: Final = text(f"""
    INSERT INTO busts (
        trade_id, stock_id, new_price, notional, rule, reason, range_id, asked_by, asked_by_name, asked_at
    )
    SELECT id, stock_id, :new_price, price * quantity, :rule, :reason, :range_id, :person, :name, clock_timestamp()
    FROM trades WHERE id = :trade_id
    ON CONFLICT (trade_id) WHERE status IN ({", ".join(f"'{status}'" for status in LIVE)}) DO NOTHING
    RETURNING id, stock_id
""")  # noqa: S608 - constants
"""Of several that ask at once the first waits for nobody, and the others for it."""

LIVE_BUST: Final = text(f"""
    SELECT t.id, b.id AS bust_id, b.status FROM trades t LEFT JOIN busts b
        ON b.trade_id = t.id AND b.status IN ({", ".join(f"'{status}'" for status in LIVE)})
    WHERE t.id = :trade_id
""")  # noqa: S608 - constants

COMMAND: Final = text("""
    INSERT INTO commands (stock_id, kind, payload, reply_to)
    SELECT id, 'bust', CAST(:payload AS json), :reply_to FROM stocks WHERE id = :stock_id
    RETURNING id, (SELECT symbol FROM stocks WHERE id = :stock_id) AS symbol,
        (SELECT group_name FROM stocks WHERE id = :stock_id) AS group_name
""")

WAITING: Final = text("""
    SELECT id, trade_id, stock_id, status, asked_by, clock_timestamp() AS now,
        asked_at + :seconds * interval '1 second' < clock_timestamp() AS is_late
    FROM busts WHERE id = :bust_id
""")

REJECT: Final = text(f"""
    UPDATE busts SET status = '{REJECTED}', rejected_by_name = :name, rejected_at = clock_timestamp(),
        rejection = :reason
    WHERE id = :bust_id AND status IN ('{NEEDS_CONFIRMATION}', '{WAITING_FOR_GUARANTEE}')
    RETURNING id
""")  # noqa: S608 - constants

GIVE_UP: Final = text(f"""
    UPDATE busts b SET status = '{REJECTED}', refusal = 'internal_error'
    FROM commands c
    WHERE c.id = :command_id AND CAST(b.id AS text) = c.payload ->> 'bust_id'
        AND b.status IN ('{REQUESTED}', '{WAITING_FOR_GUARANTEE}')
""")  # noqa: S608 - constants


TRADE: Final = text("""
    SELECT t.id, t.price, t.quantity, s.tick_size FROM trades t JOIN stocks s ON s.id = t.stock_id
    WHERE t.id = :trade_id
""")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for busts: a person, the administrator's key (`person` is None), or a `rule`."""

    name: str
    person: int | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class QueuedBust:
    """A bust whose command is in the inbox of its stock."""

    bust_id: int
    command_id: int
    symbol: str
    group_name: str


def known_trade(session: Statements, trade_id: int) -> Any:
    """The trade, as it was executed, with its stock's tick size. Raises UnknownTrade."""
    trade = session.execute(TRADE, {"trade_id": trade_id}).one_or_none()
    if trade is None:
        raise UnknownTrade(f"There is no trade {trade_id}.")
    return trade


def check_new_price(trade: Any, price: int | None, market: Market) -> None:
    """Raises UnchangedPrice, OffTick or PriceTooLarge for a price (cents) at which a trade cannot stand."""
    if price is None:
        return
    if price == trade.price:
        raise UnchangedPrice(field="price")
    check_tick(price, trade, market, "price")


def ask(
    session: Statements,
    trade_id: int,
    reason: str,
    asker: Asker,
    *,
    new_price: int | None = None,
    range_id: int | None = None,
    reply_to: str | None = None,
) -> QueuedBust:
    """Ask that a trade be taken back or, with `new_price` (cents), that it stand at that.

    Raises UnknownTrade, AlreadyBusted.
    """
    values = {
        "trade_id": trade_id,
        "new_price": new_price,
        "rule": asker.rule,
        "reason": reason,
        "range_id": range_id,
        "person": asker.person,
        "name": asker.name,
    }
    added = session.execute(ADD, values).one_or_none()
    if added is None:
        known = session.execute(LIVE_BUST, {"trade_id": trade_id}).one_or_none()
        if known is None:
            raise UnknownTrade(f"There is no trade {trade_id}.")
        raise AlreadyBusted(bust_id=known.bust_id, status=known.status)
    return _queue(session, added.id, added.stock_id, {}, reply_to)


def confirm(
    session: Statements, bust_id: int, person: int | None, name: str, window_seconds: int, reply_to: str | None = None
) -> QueuedBust:
    """Have a bust done that another has asked for; None as the `person` is the administrator's key.

    Raises UnknownBust, AlreadyBusted, BustDecided, SecondPersonNeeded, BustWindowPassed.
    """
    bust = _waiting(session, bust_id, window_seconds)
    if bust.status == DONE:
        raise AlreadyBusted(bust_id=bust_id, status=bust.status)
    if bust.status != NEEDS_CONFIRMATION:
        raise BustDecided(status=bust.status)
    if person is None or person == bust.asked_by:
        raise SecondPersonNeeded
    if bust.is_late:
        raise BustWindowPassed
    confirmed = {"person": person, "name": name, "at": timestamp(bust.now)}
    return _queue(session, bust_id, bust.stock_id, {"confirmed_by": confirmed}, reply_to)


def reject(session: Statements, bust_id: int, name: str, reason: str) -> None:
    """Let the trade of a bust that waits stand. Raises UnknownBust, AlreadyBusted, BustDecided."""
    if session.execute(REJECT, {"bust_id": bust_id, "name": name, "reason": reason}).one_or_none() is None:
        bust = _waiting(session, bust_id, 0)
        if bust.status == DONE:
            raise AlreadyBusted(bust_id=bust_id, status=bust.status)
        raise BustDecided(status=bust.status)


def try_again(session: Statements, bust_id: int, stock_id: int) -> QueuedBust:
    """Have a bust looked at once more that waits for the guarantee account."""
    return _queue(session, bust_id, stock_id, {}, None)


def give_up(session: Statements, command_id: int) -> None:
    """The bust of this command broke its turn: it is not done."""
    session.execute(GIVE_UP, {"command_id": command_id})


def _waiting(session: Statements, bust_id: int, seconds: int) -> Any:
    bust = session.execute(WAITING, {"bust_id": bust_id, "seconds": seconds}).one_or_none()
    if bust is None:
        raise UnknownBust(f"There is no bust {bust_id}.")
    return bust


def _queue(session: Statements, bust_id: int, stock_id: int, more: dict[str, Any], reply_to: str | None) -> QueuedBust:
    payload = orjson.dumps({"bust_id": bust_id, **more}).decode()
    row = session.execute(COMMAND, {"payload": payload, "reply_to": reply_to, "stock_id": stock_id}).one()
    return QueuedBust(bust_id, row.id, row.symbol, row.group_name)
