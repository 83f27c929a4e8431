"""Run the markets' schedules: when a phase begins, ask all stocks of the market for its trading state.

Where a market is in its day is one row, so any process may go on where another stopped, and a phase that began while
none ran is made up for. The books decide: no schedule ends an operator's halt.
"""

import dataclasses
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import text

from database.statements import Statements
from engine.terms.codes import VOLATILITY
from engine.terms.states import AUCTION, DELISTED, HALTED, OPEN
from engine.terms.states import STATES as ALL_STATES
from services.stocks import trading_states
from services.stocks.schedule import AUCTIONS, CLOSE, ROLL, STATES, Beginning, due, longest_delay, next_after, phase_at
from services.stocks.trading_states import STATE, UNCROSS, StateRequest, ask_for
from settings.sections import MAIN_MARKET, Settings
from settings.sections import TradingSchedule as Schedule

NOT_HALTED: Final = tuple(state for state in ALL_STATES if state != HALTED)
OF_MARKET: Final = "CASE WHEN s.market = ANY(:markets) THEN s.market ELSE 'main' END = :market"
"""Stocks of a market that has no schedule of its own follow the main one."""

WHERE = text("SELECT schedule, phase, next_phase, next_at FROM market_sessions WHERE market = :market FOR UPDATE")

REMEMBER = text("""
    INSERT INTO market_sessions (market, schedule, phase, began_at, next_phase, next_at)
    VALUES (:market, :schedule, :phase, :began_at, :next_phase, :next_at)
    ON CONFLICT (market) DO UPDATE SET schedule = excluded.schedule, phase = excluded.phase,
        began_at = excluded.began_at, next_phase = excluded.next_phase, next_at = excluded.next_at
""")

ASK_ALL = text(f"""
    WITH asked AS (
        SELECT s.id, s.symbol, s.group_name FROM stocks s
        WHERE {OF_MARKET} AND s.state <> '{DELISTED}'
    ), inbox AS (
        INSERT INTO commands (stock_id, kind, payload)
        SELECT asked.id, c.kind, c.payload
        FROM asked CROSS JOIN ROWS FROM (json_to_recordset(CAST(:changes AS json)) AS (kind text, payload json))
            WITH ORDINALITY AS c (kind, payload, n)
        ORDER BY asked.id, c.n
    )
    SELECT symbol, group_name FROM asked ORDER BY id
""")  # noqa: S608 - a constant of this file

END_VOLATILITY = text(f"""
    WITH over AS (
        SELECT s.id, s.symbol, s.group_name FROM stocks s
        WHERE s.state_reason = 'volatility' AND s.state = 'auction' AND {OF_MARKET}
            AND s.state_since <= :now - :seconds * interval '1 second' AND NOT EXISTS (
                SELECT FROM commands c WHERE c.stock_id = s.id AND c.sequence IS NULL AND c.kind = 'state'
            )
    ), inbox AS (
        INSERT INTO commands (stock_id, kind, payload) SELECT id, 'state', CAST(:payload AS json) FROM over
    )
    SELECT symbol, group_name FROM over ORDER BY id
""")  # noqa: S608 - a constant of this file

Draw = Callable[[int, int], int]
"""Draws a whole number from the first to the second."""

UNPREDICTABLE: Final[Draw] = random.SystemRandom().randint

Stocks = list[tuple[str, str]]
"""(symbol, group)"""


class Run(NamedTuple):
    """What has begun: stocks to wake, and whether the day of a market has ended."""

    stocks: Stocks
    is_day_over: bool


def run_schedules(session: Statements, settings: Settings, now: datetime, draw: Draw = UNPREDICTABLE) -> Run:
    """Ask for what the schedules of all markets want by `now`."""
    stocks: Stocks = []
    is_day_over = False
    markets = list(dict.fromkeys((MAIN_MARKET, *settings.sessions)))
    for market in markets:
        schedule = settings.session_of(market)
        of_market = {"market": market, "markets": markets}
        for beginning in _begun(session, market, schedule, now, draw):
            stocks += _ask_all(session, of_market, changes_of(beginning.phase))
            is_day_over |= beginning.phase in (CLOSE, ROLL)
        stocks += _end_volatility_auctions(session, of_market, now, schedule.volatility_auction_seconds)
    return Run(stocks, is_day_over)


def enter_present_phase(session: Statements, symbol: str, schedule: Schedule, now: datetime) -> None:
    """Ask for what a stock that has just been listed missed of its market's day. Raises UnknownStock."""
    phase = phase_at(schedule, now).phase
    if STATES[phase] != OPEN:
        ask_for(session, symbol, StateRequest(STATE, STATES[phase], phase))


def changes_of(phase: str) -> Sequence[StateRequest]:
    """The state requests for the stocks when `phase` begins. A stock that is halted stays so, but its day ends, too."""
    if phase == ROLL:
        return (StateRequest(trading_states.ROLL),)
    change = StateRequest(STATE, STATES[phase], phase, only_from=NOT_HALTED)
    return (StateRequest(UNCROSS), change, StateRequest(trading_states.ROLL)) if phase == CLOSE else (change,)


def _begun(session: Statements, market: str, schedule: Schedule, now: datetime, draw: Draw) -> Sequence[Beginning]:
    """The phases that have begun since this was last asked, and remembers them."""
    row = session.execute(WHERE, {"market": market}).one_or_none()
    hours = _hours(schedule)
    if row is not None and row.schedule == hours:
        begun = due(schedule, Beginning(row.next_phase, row.next_at), now)
        if not begun:
            return begun
        current = begun[-1]
    else:
        current = phase_at(schedule, now)
        before = ROLL if row is None else row.phase  # a stock is listed open
        begun = [] if STATES[before] == STATES[current.phase] else [current]
        if current.phase == ROLL:  # the day itself goes on
            begun = [Beginning("open", beginning.at) for beginning in begun]
    following = next_after(schedule, current)
    next_at = following.at
    if current.phase in AUCTIONS:
        next_at += timedelta(milliseconds=draw(0, longest_delay(schedule, following)))
    values = {"phase": current.phase, "began_at": current.at, "next_phase": following.phase, "next_at": next_at}
    session.execute(REMEMBER, {"market": market, "schedule": hours, **values})
    return begun


def _hours(schedule: Schedule) -> str:
    """The key of one day of a market."""
    asked = dataclasses.asdict(schedule)
    hours = {name: value for name, value in asked.items() if not name.endswith("_seconds")}
    return orjson.dumps(hours, option=orjson.OPT_SORT_KEYS).decode()


def _ask_all(session: Statements, of_market: dict[str, Any], changes: Sequence[StateRequest]) -> Stocks:
    document = orjson.dumps([{"kind": change.kind, "payload": orjson.Fragment(change.payload())} for change in changes])
    rows = session.execute(ASK_ALL, {**of_market, "changes": document.decode()})
    return [(row.symbol, row.group_name) for row in rows]


def _end_volatility_auctions(session: Statements, of_market: dict[str, Any], now: datetime, seconds: int) -> Stocks:
    over = StateRequest(STATE, OPEN, f"{VOLATILITY}_over", only_from=(AUCTION,))
    rows = session.execute(END_VOLATILITY, {**of_market, "now": now, "seconds": seconds, "payload": over.payload()})
    return [(row.symbol, row.group_name) for row in rows]
