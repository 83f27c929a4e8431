"""Bring the candles and the sessions up to date with the tapes: the reporter's one step.

A stock's row of `reported_stocks` says how far its tape is in them, and is locked meanwhile: so whoever does it,
however often it is begun and broken off, each trade counts once. A busted or adjusted trade is told on the tape behind
it, and whatever it was in is then worked out again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import text

from database.columns import named_literals, number, quoted, unnest_named
from database.statements import Statements
from services.market_data.candles.corrections import correct
from services.market_data.candles.folded import FIGURES, OF_TRADES
from services.market_data.candles.intervals import DAY, LENGTHS, ZONES, CandleKey

MOST_EVENTS: Final = 20_000
"""Of all tapes together that are taken in one step."""

KEEP_UP: Final = text(f"""
    WITH zoned AS (
        SELECT s.id, coalesce(z.zone, :main_zone) AS zone FROM stocks s LEFT JOIN {ZONES} ON z.market = s.market
    ), moved AS (
        UPDATE reported_stocks r SET zone = zoned.zone FROM zoned
        WHERE r.stock_id = zoned.id AND r.zone <> zoned.zone
        RETURNING r.stock_id, r.zone, r.sequence
    ), forgotten AS (
        DELETE FROM candles c USING moved WHERE c.stock_id = moved.stock_id AND c.seconds = {DAY}
    ), added AS (
        INSERT INTO reported_stocks (stock_id, zone)
        SELECT zoned.id, zoned.zone FROM zoned
        WHERE NOT EXISTS (SELECT FROM reported_stocks r WHERE r.stock_id = zoned.id)
        ON CONFLICT DO NOTHING
    )
    SELECT stock_id AS id, zone, sequence FROM moved
""")  # noqa: S608 - constants of this file

DAYS_AGAIN: Final = text(f"""
    INSERT INTO candles (stock_id, seconds, start, open, high, low, close, volume, turnover, trades, first_sequence,
        last_sequence)
    SELECT m.id, {DAY}, candle_start(t.executed_at, {DAY}, m.zone), {OF_TRADES}
    FROM unnest(CAST(:ids AS bigint[]), CAST(:zones AS text[]), CAST(:until AS bigint[])) AS m (id, zone, until)
    JOIN trades t ON t.stock_id = m.id AND t.sequence <= m.until AND t.busted_at IS NULL
    GROUP BY 1, 3
""")  # noqa: S608 - constants of this file

DUE: Final = text("""
    SELECT r.stock_id AS id, s.symbol, r.zone, r.sequence AS after, s.event_sequence AS until, s.session_sequence
    FROM reported_stocks r JOIN stocks s ON s.id = r.stock_id
    WHERE s.event_sequence > r.sequence AND (CAST(:symbols AS text[]) IS NULL OR s.symbol = ANY(:symbols))
    ORDER BY r.stock_id FOR UPDATE OF r SKIP LOCKED
""")


class Piece(NamedTuple):
    """What is taken of a stock's tape: the events behind `after` and up to `until`."""

    id: int
    after: int
    until: int
    session_sequence: int
    zone: str


PIECES: Final = (
    number("id", attrgetter("id")),
    number("after", attrgetter("after")),
    number("until", attrgetter("until")),
    number("session_sequence", attrgetter("session_sequence")),
    quoted("zone", attrgetter("zone")),
)
TAKEN: Final = unnest_named(PIECES, "d")

FRESH: Final = f"""
    SELECT d.*, t.* FROM {TAKEN} CROSS JOIN LATERAL (
        SELECT sequence, price, adjusted_price, quantity, executed_at, is_auction FROM trades
        WHERE stock_id = d.id AND sequence > d.after AND sequence <= d.until AND busted_at IS NULL OFFSET 0
    ) t
"""  # noqa: S608 - constants of this file

ADD: Final = text(f"""
    WITH fresh AS MATERIALIZED ({FRESH}), added AS (
        INSERT INTO candles AS c (stock_id, seconds, start, open, high, low, close, volume, turnover, trades,
            first_sequence, last_sequence)
        SELECT t.id, i.seconds, candle_start(t.executed_at, i.seconds, t.zone), {OF_TRADES}
        FROM fresh t CROSS JOIN (VALUES {LENGTHS}) AS i (seconds)
        GROUP BY 1, 2, 3
        ON CONFLICT (stock_id, seconds, start) DO UPDATE SET
            high = greatest(c.high, excluded.high), low = least(c.low, excluded.low), close = excluded.close,
            volume = c.volume + excluded.volume, turnover = c.turnover + excluded.turnover,
            trades = c.trades + excluded.trades, last_sequence = excluded.last_sequence
        RETURNING c.*
    )
    SELECT c.stock_id, c.seconds, c.start, c.open, c.high, c.low, c.close, c.volume, c.turnover, c.trades,
        candle_end(c.start, c.seconds, d.zone) AS ends_at, d.until AS reported
    FROM added c JOIN {TAKEN} ON d.id = c.stock_id ORDER BY c.start
""")  # noqa: S608 - constants of this file

FOUND: Final = ", ".join(f"t.{name}" for name in FIGURES)

ADVANCE: Final = text(f"""
    WITH fresh AS MATERIALIZED ({FRESH}), traded AS (
        SELECT t.id, {OF_TRADES}, (array_agg(t.is_auction ORDER BY t.sequence))[1] AS is_auction
        FROM fresh t WHERE t.sequence > t.session_sequence GROUP BY t.id
    ), found AS (
        SELECT d.id, d.until, d.session_sequence, {FOUND}, t.is_auction,
            d.session_sequence = r.session_sequence AND r.trades > 0 AS goes_on
        FROM {TAKEN} JOIN reported_stocks r ON r.stock_id = d.id LEFT JOIN traded t ON t.id = d.id
    )
    UPDATE reported_stocks r SET sequence = b.until, session_sequence = b.session_sequence,
        open = CASE WHEN goes_on THEN r.open ELSE b.open END,
        high = CASE WHEN goes_on THEN greatest(r.high, b.high) ELSE b.high END,
        low = CASE WHEN goes_on THEN least(r.low, b.low) ELSE b.low END,
        close = CASE WHEN goes_on THEN coalesce(b.close, r.close) ELSE b.close END,
        volume = CASE WHEN goes_on THEN r.volume ELSE 0 END + coalesce(b.volume, 0),
        turnover = CASE WHEN goes_on THEN r.turnover ELSE 0 END + coalesce(b.turnover, 0),
        trades = CASE WHEN goes_on THEN r.trades ELSE 0 END + coalesce(b.trades, 0),
        is_auction = CASE WHEN goes_on THEN r.is_auction ELSE coalesce(b.is_auction, false) END
    FROM found b WHERE r.stock_id = b.id
""")  # noqa: S608 - constants of this file


@dataclass
class Reported:
    """What a step came to."""

    symbols: dict[int, str] = field(default_factory=dict)
    """Of the stocks whose tape went on, by id."""
    sequences: dict[int, int] = field(default_factory=dict)
    """How far each has come."""
    changed: Sequence[Any] = ()
    """The candles that got trades, oldest first, as `candle_messages.read_by_keys` finds them."""
    corrected: set[CandleKey] = field(default_factory=set)
    """Candles that had trades which were busted or adjusted: they are others again, or gone."""
    is_behind: bool = False
    """Whether more waits than was taken."""


def keep_up_with_stocks(session: Statements, zones: Mapping[str, Any]) -> None:
    """Begin with stocks that are new, and work out anew the days of those that are in another time zone now."""
    moved = session.execute(KEEP_UP, zones).all()
    if moved:
        values = {"ids": [row.id for row in moved], "zones": [row.zone for row in moved]}
        session.execute(DAYS_AGAIN, {**values, "until": [row.sequence for row in moved]})


def report(session: Statements, symbols: Iterable[str] | None = None, most: int = MOST_EVENTS) -> Reported:
    """Take what is new on the tapes of these stocks, or of all, at most so many events; to be committed as a whole."""
    rows = session.execute(DUE, {"symbols": None if symbols is None else list(symbols)}).all()
    done = Reported()
    pieces = []
    for row in rows:
        if most <= 0:
            break
        until = min(row.until, row.after + most)
        most -= until - row.after
        done.symbols[row.id], done.sequences[row.id] = row.symbol, until
        pieces.append(Piece(row.id, row.after, until, row.session_sequence, row.zone))
    done.is_behind = most <= 0
    if rows:
        taken = named_literals(PIECES, pieces)
        done.changed = session.execute(ADD, taken).all()
        session.execute(ADVANCE, taken)
        done.corrected = correct(session, taken)
    return done


FORGET: Final = text("""
    DELETE FROM candles c USING stocks s
    WHERE c.stock_id = s.id AND c.seconds = 1 AND c.start < now() - :days * interval '1 day'
""")


FORGET_INDICATIVES: Final = text("DELETE FROM indicatives WHERE told_at < now() - :days * interval '1 day'")


def forget_old(session: Statements, days: int) -> None:
    """Remove candles of a second, and what auctions would have brought, that are older than so many days."""
    session.execute(FORGET, {"days": days})
    session.execute(FORGET_INDICATIVES, {"days": days})
