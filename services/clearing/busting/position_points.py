"""Write down now and then what positions are, so that a bust need not work them out from their beginning.

One statement sees one moment: a position, the number of its broker's last event, and the last that came in or went out
belong together. Turns change all of them in one transaction, and so do deposits.
"""

from typing import Final

from sqlalchemy import text

from database.statements import Statements

TAKE: Final = text("""
    INSERT INTO position_points (broker_id, asset_id, sequence, transfer_id, net, cost, realised_pnl, taken_at)
    SELECT b.broker_id, b.asset_id, c.sequence, coalesce((
            SELECT max(transfer_id) FROM external_transfers x
            WHERE x.broker_id = b.broker_id AND x.asset_id = b.asset_id
        ), 0), b.available + b.reserved - b.owed, b.cost, b.realised_pnl, clock_timestamp()
    FROM balances b JOIN account_counters c ON c.broker_id = b.broker_id
    LEFT JOIN LATERAL (
        SELECT sequence, net, cost, realised_pnl FROM position_points p
        WHERE p.broker_id = b.broker_id AND p.asset_id = b.asset_id ORDER BY sequence DESC, transfer_id DESC LIMIT 1
    ) last ON true
    WHERE b.asset_id <> 1 AND b.broker_id > 0 AND c.sequence > coalesce(last.sequence, 0)
        AND (last.sequence IS NULL OR (b.available + b.reserved - b.owed, b.cost, b.realised_pnl)
            IS DISTINCT FROM (last.net, last.cost, last.realised_pnl))
    ON CONFLICT DO NOTHING
""")

FORGET: Final = text("""
    DELETE FROM position_points p USING position_points later
    WHERE later.broker_id = p.broker_id AND later.asset_id = p.asset_id AND later.sequence > p.sequence
        AND later.taken_at < clock_timestamp() - :seconds * interval '1 second'
""")


def take_points(session: Statements, window_seconds: int) -> None:
    """A point of each position that has changed, and none left that is older than any bust needs.

    What is asked for within the window may be done as long again behind it.
    """
    session.execute(FORGET, {"seconds": 2 * window_seconds})
    session.execute(TAKE)
