"""Keep books now and then, so that what was in one at any command can be found without its whole history.

It is one statement a book, which reads what is committed and locks nothing: a turn stores its orders, its stock and its
commands together, so all that a statement sees is of one command.
"""

from typing import Final

from sqlalchemy import text

from database.statements import Statements
from engine.terms.orders import CONDITIONS

EVERY: Final = 2_000
"""Commands of a stock between two of its checkpoints: they are carried out again within a tenth of a second."""

DEEP: Final = 4
"""A deep book is kept less often, after a command for every so many open orders: so however deep it is, what is kept
stays in proportion to the journal."""

AT_ONCE: Final = 8
"""Books that are kept in one go, those that are most overdue first."""

DUE: Final = text("""
    SELECT s.id FROM stocks s LEFT JOIN LATERAL (
        SELECT command_sequence, order_count FROM book_checkpoints
        WHERE stock_id = s.id ORDER BY command_sequence DESC LIMIT 1
    ) kept ON true
    WHERE s.command_sequence - coalesce(kept.command_sequence, 0)
        >= GREATEST(CAST(:every AS bigint), coalesce(kept.order_count, 0) / CAST(:deep AS bigint))
    ORDER BY s.command_sequence - coalesce(kept.command_sequence, 0) DESC, s.id LIMIT :most
""")

MICROSECONDS: Final = "CAST(extract(epoch FROM {}) * 1000000 AS bigint)"

ORDER: Final = f"""json_build_array(
    o.id, o.broker_id, o.document_number, CASE o.side WHEN 'bid' THEN 1 ELSE -1 END, o.order_type,
    coalesce(o.price, o.protection_price), o.quantity, o.time_in_force, {MICROSECONDS.format("o.valid_until")},
    o.self_trade_prevention, o.filled_quantity, o.filled_notional, o.cancelled_quantity, o.priority,
    o.triggered_at IS NOT NULL, coalesce(o.shown_quantity, 0), {MICROSECONDS.format("o.entered_at")},
    {", ".join(f"o.{name}" for name in CONDITIONS)}
)"""
"""A line of its own, so that few are read at once: by `services.history.kept`. A condition that comes later is last,
and missing in what is older."""

BY_INDEX: Final = text("SET LOCAL enable_seqscan = off")
"""A stock's open orders have an index of their own. By statistics that are hours old all orders there ever were
may seem to be fewer."""

KEEP: Final = text(f"""
    INSERT INTO book_checkpoints (
        stock_id, command_sequence, sequenced_at, state, reference_price, last_price, order_count, orders
    )
    SELECT s.id, s.command_sequence, s.sequenced_at, s.state, s.reference_price, s.last_price, open.count, open.orders
    FROM stocks s CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(string_agg(CAST({ORDER} AS text), chr(10) ORDER BY o.priority), '') AS orders
        FROM orders o WHERE o.stock_id = s.id AND o.closed_at IS NULL AND o.priority IS NOT NULL
    ) open
    WHERE s.id = :stock_id AND s.sequenced_at IS NOT NULL
    ON CONFLICT DO NOTHING
""")  # noqa: S608 - constants of this file


def keep_books(session: Statements, every: int = EVERY, most: int = AT_ONCE) -> int:
    """Keep the books of which it is time, after `every` commands or more; how many there were.

    At most `most` of them: the others are due when this is asked again. `session` is in a transaction.
    """
    due = session.scalars(DUE, {"every": every, "deep": DEEP, "most": most})
    stock_ids = list(due)
    if stock_ids:
        session.execute(BY_INDEX)
    for stock_id in stock_ids:
        session.execute(KEEP, {"stock_id": stock_id})
    return len(stock_ids)
