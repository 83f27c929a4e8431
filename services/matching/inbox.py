"""The worker's side of the inbox: lock the stocks, read what is not yet sequenced."""

from collections.abc import Sequence
from typing import Any

from database.literals import texts
from database.pipeline import pipeline
from database.transaction import Transaction
from services.settlement.trade_ids import TradeIds

LOCK = """
    SELECT s.id, s.symbol, s.fee_account, s.tick_size, s.lot_size, s.band_bps, s.execution_price,
        s.self_trade_prevention, s.market, s.band_reference, s.dynamic_band_bps, s.reference_price, s.last_price,
        s.state, s.book_version, s.command_sequence, s.event_sequence, s.book_sequence,
        greatest(s.sequenced_at, clock_timestamp()) AS now
    FROM stocks s WHERE s.symbol = ANY($1::text[]) ORDER BY s.id FOR NO KEY UPDATE
"""
"""NO KEY: the foreign-key checks of incoming orders need not wait. The time is the database's, one for all workers,
and never goes backward within a stock."""

UNSEQUENCED = """
    SELECT c.*, CASE WHEN c.kind = 'amend' THEN (SELECT o.side FROM orders o WHERE o.id = c.order_id) END AS side,
        (SELECT version FROM webhook_changes WHERE id = 1) AS hooks_version
    FROM stocks s CROSS JOIN LATERAL (
        SELECT c.id, c.stock_id, c.kind, c.order_id, c.broker_id, c.payload::text, c.reserved, c.reply_to
        FROM commands c
        WHERE c.stock_id = s.id AND c.sequence IS NULL AND c.id = coalesce($3::bigint, c.id)
        ORDER BY c.id LIMIT $2::bigint
    ) c
    WHERE s.symbol = ANY($1::text[]) ORDER BY c.id LIMIT $2::bigint
"""
"""By what is not sequenced, never by `id > cursor`: identity values commit out of order. A payload is read as text, for
one that cannot be understood shall be found with its command in hand.

`hooks_version`: who wants to be told of trades, and said so before one of these commands was sent, is within it.
"""


def take_inbox(
    session: Transaction,
    symbols: Sequence[str],
    limit: int,
    trade_ids: TradeIds,
    only: int | None = None,
) -> tuple[list[Any], list[Any]]:
    """The rows of these stocks, and at most `limit` of their commands that nobody has taken, oldest first.

    The stocks are locked to the commit, always in the order of their ids; with `only` just that command is read. It is
    one round trip but two statements: under READ COMMITTED each sees what was committed when it began, and what
    another worker has done while this one waited for the lock must be seen. `trade_ids` are filled up on the way.
    """
    with pipeline(session) as sent:
        wanted = texts(symbols)
        stocks = sent.send(LOCK, wanted)
        inbox = sent.send(UNSEQUENCED, wanted, str(limit), None if only is None else str(only))
        more = trade_ids.ask(sent)
    trade_ids.add(more)
    return list(stocks), list(inbox)
