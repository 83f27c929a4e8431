"""The statements that find the lines of an account: what changed what it holds, in the order in which it did."""

from typing import Final

from sqlalchemy import text

FILLS: Final = """
    SELECT e.sequence AS place, line.external, t.id AS trade_id, e.order_id, t.executed_at AS at,
        line.kind, CAST(NULL AS text) AS reference, line.amount
    FROM account_events e JOIN trades t ON t.id = e.trade_id
    CROSS JOIN LATERAL (VALUES
        (CAST(0 AS bigint), 'trade', CASE WHEN (t.buy_order_id = e.order_id) = (:asset_id = 1) THEN -1 ELSE 1 END
            * CASE WHEN :asset_id = 1 THEN t.price * t.quantity ELSE t.quantity END),
        (CAST(1 AS bigint), 'fee', CASE WHEN :asset_id = 1 THEN -e.fee END)
    ) AS line (external, kind, amount)
    WHERE e.broker_id = :broker_id AND e.trade_id IS NOT NULL AND e.sequence >= :place AND e.sequence <= :top
        AND (e.sequence, line.external) > (:place, :external) AND line.amount IS NOT NULL
        AND (:asset_id = 1 OR t.stock_id = :asset_id) AND t.executed_at >= :since AND t.executed_at < :until
"""
"""A fill, and right behind it what it cost. No transfer that comes from outside behind a fill has the id 1: what was
reserved for that fill is older."""

BUSTS: Final = """
    SELECT e.sequence, line.external, b.trade_id, e.order_id, e.happened_at, line.kind, CAST(NULL AS text), line.amount
    FROM account_events e JOIN busts b ON b.id = e.bust_id JOIN trades t ON t.id = b.trade_id
    CROSS JOIN LATERAL (VALUES
        (CAST(0 AS bigint), 'fee_refund', CASE WHEN :asset_id = 1 AND b.new_price IS NULL THEN e.fee END),
        (CAST(1 AS bigint), CASE WHEN b.new_price IS NULL THEN 'bust' ELSE 'adjustment' END, nullif(
            CASE WHEN (t.buy_order_id = e.order_id) = (:asset_id = 1) THEN 1 ELSE -1 END
                * CASE WHEN :asset_id = 1 THEN (t.price - coalesce(b.new_price, 0)) * t.quantity
                    WHEN b.new_price IS NULL THEN t.quantity ELSE 0 END, 0))
    ) AS line (external, kind, amount)
    WHERE e.broker_id = :broker_id AND e.bust_id IS NOT NULL AND e.sequence >= :place AND e.sequence <= :top
        AND (e.sequence, line.external) > (:place, :external) AND line.amount IS NOT NULL
        AND (:asset_id = 1 OR t.stock_id = :asset_id) AND (line.kind = 'fee_refund' OR t.buyer_id <> t.seller_id)
        AND e.happened_at >= :since AND e.happened_at < :until
"""
"""What a bust gives back, or takes; of a trade with oneself only the fees."""

EXTERNAL: Final = """
    SELECT x.account_sequence, x.transfer_id, x.trade_id, NULL, m.created_at, m.kind, x.reference,
        CASE WHEN m.kind IN ('deposit', 'advance') THEN m.amount ELSE -m.amount END
    FROM (
        SELECT broker_id, asset_id, account_sequence, transfer_id, reference, CAST(NULL AS bigint) AS trade_id
        FROM external_transfers
        UNION ALL
        SELECT broker_id, asset_id, account_sequence, transfer_id, NULL, trade_id FROM receivable_entries
    ) x JOIN transfers m ON m.id = x.transfer_id
    WHERE x.broker_id = :broker_id AND x.asset_id = :asset_id AND x.transfer_id <= :top_external
        AND (x.account_sequence, x.transfer_id) > (:place, :external)
        AND m.created_at >= :since AND m.created_at < :until
"""
"""Everything behind a place, up to what was there when the statement was begun."""

LINES: Final = """
    WITH lines AS (({fills}) UNION ALL ({busts}) UNION ALL ({external})), summed AS (
        SELECT *, sum(amount) OVER (ORDER BY place, external) AS so_far FROM lines
    )
    SELECT *, CASE WHEN kind = 'trade' THEN (
        SELECT m.id FROM transfers m WHERE m.trade_id = summed.trade_id AND m.kind = 'trade' AND m.asset_id = :asset_id
    ) WHEN kind = 'fee' THEN (
        SELECT m.id FROM transfers m, (
            SELECT min(id) AS first, max(id) AS last FROM transfers
            WHERE trade_id = summed.trade_id AND kind = 'trade'
        ) AS of_trade
        WHERE m.id BETWEEN of_trade.first AND of_trade.last
            AND m.trade_id = summed.trade_id AND m.kind = 'fee' AND m.order_id = summed.order_id
    ) WHEN kind IN ('bust', 'adjustment', 'fee_refund') THEN (
        SELECT min(m.id) FROM transfers m
        WHERE m.trade_id = summed.trade_id AND m.kind IN ('bust', 'adjustment', 'fee_refund') AND m.kind = summed.kind
            AND m.asset_id = :asset_id AND :broker_id IN (m.from_broker, m.to_broker)
    ) ELSE external END AS transfer_id
    FROM summed WHERE CAST(:kind AS text) IS NULL OR kind = :kind ORDER BY place, external LIMIT :limit
"""
"""A fee's transfer lies between the two of its trade, so that fees need no index of their own."""

ALL_LINES = text(LINES.format(fills=FILLS, busts=BUSTS, external=EXTERNAL))
FIRST_LINES = text(
    LINES.format(
        fills=f"{FILLS} ORDER BY e.sequence, line.external LIMIT :limit",
        busts=f"{BUSTS} ORDER BY e.sequence, line.external LIMIT :limit",
        external=f"{EXTERNAL} ORDER BY x.account_sequence, x.transfer_id LIMIT :limit",
    )
)
"""As many of each as there may be of both: where no kind is left out, no more have to be looked at."""

BEGIN = text("""
    SELECT coalesce(b.available + b.reserved, 0) AS balance, coalesce(c.sequence, 0) AS top,
        greatest(
            (SELECT max(transfer_id) FROM external_transfers WHERE broker_id = k.id),
            (SELECT max(transfer_id) FROM receivable_entries WHERE broker_id = k.id), 0
        ) AS top_external,
        coalesce((
            SELECT sequence FROM account_events e
            WHERE e.broker_id = k.id AND trade_id IS NOT NULL
                AND happened_at < CAST(:since AS timestamptz) - interval '1 minute'
            ORDER BY sequence DESC LIMIT 1
        ), 0) AS place
    FROM brokers k LEFT JOIN account_counters c ON c.broker_id = k.id
    LEFT JOIN balances b ON b.broker_id = k.id AND b.asset_id = :asset_id
    WHERE k.id = :broker_id
""")
"""Where it stands now, and a place before the first line of the time that is asked for: events of different stocks may
have times that are a moment apart."""

SUMS = text(f"""
    SELECT coalesce(sum(amount), 0) AS since, coalesce(sum(amount) FILTER (WHERE at < :until), 0) AS within
    FROM (({FILLS.replace(":until", "'infinity'")}) UNION ALL ({BUSTS.replace(":until", "'infinity'")})
        UNION ALL ({EXTERNAL.replace(":until", "'infinity'")})) lines
""")  # noqa: S608 - constants of this file
