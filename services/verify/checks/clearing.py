"""3. Busts gave back what their trades had brought, and what was advanced for their debtors is owed, to the cent."""

from services.verify.checks.rule import GUARANTEE, Rule

TABLES = ("busts", "receivable_entries")

DONE = """
    done AS (
        SELECT b.*, t.price, t.quantity, t.buyer_id, t.seller_id, t.busted_at, t.adjusted_price, t.buy_order_id,
            t.sell_order_id, t.id AS found_id, t.stock_id AS found_stock_id
        FROM busts b LEFT JOIN trades t ON t.id = b.trade_id WHERE b.status = 'done'
    )"""
"""Every bust that took effect beside its trade."""

TRADES = (
    Rule(
        "busts",
        f"""
        WITH {DONE}
        SELECT b.id, marks.what, marks.found, marks.expected
        FROM done b CROSS JOIN LATERAL (VALUES
            ('trade', CAST(b.found_id AS text), CAST(b.trade_id AS text)),
            ('stock', CAST(b.found_stock_id AS text), CAST(b.stock_id AS text)),
            ('busted_at', CAST(b.busted_at AS text), CASE WHEN b.new_price IS NULL THEN CAST(b.done_at AS text) END),
            ('price at which it stands', CAST(b.adjusted_price AS text), CAST(b.new_price AS text)),
            ('notional', CAST(b.notional AS text), CAST(b.price * b.quantity AS text)),
            ('second person', CASE WHEN b.confirmed_by = b.asked_by THEN 'who asked' END, NULL)
        ) AS marks (what, found, expected)
        WHERE marks.found IS DISTINCT FROM marks.expected
        ORDER BY b.id
        """,  # noqa: S608 - constants of this file
    ),
    Rule(
        "trades",
        """
        SELECT t.id, 'busts of it that were done' AS what, count(b.id) AS found, 1 AS expected
        FROM trades t LEFT JOIN busts b ON b.trade_id = t.id AND b.status = 'done'
        WHERE t.busted_at IS NOT NULL OR t.adjusted_price IS NOT NULL
        GROUP BY t.id HAVING count(b.id) <> 1
        ORDER BY t.id
        """,
    ),
    Rule(
        "busts",
        """
        SELECT b.id, records.what, records.found, records.expected
        FROM busts b
        LEFT JOIN commands c ON c.stock_id = b.stock_id AND c.sequence = b.command_sequence
        LEFT JOIN events e ON e.stock_id = b.stock_id AND e.sequence = b.event_sequence
        CROSS JOIN LATERAL (
            SELECT count(*) AS sides FROM account_events a JOIN trades t ON t.id = b.trade_id
            WHERE a.bust_id = b.id AND a.kind = e.kind
                AND (a.broker_id, a.order_id) IN ((t.buyer_id, t.buy_order_id), (t.seller_id, t.sell_order_id))
        ) AS told
        CROSS JOIN LATERAL (VALUES
            ('command', format('%s of bust %s', c.kind, c.payload ->> 'bust_id'), format('bust of bust %s', b.id)),
            ('refused', c.refused, NULL),
            ('event', format('%s of trade %s', e.kind, e.payload ->> 'trade_id'),
                format('%s of trade %s', CASE WHEN b.new_price IS NULL THEN 'TRADE_BUSTED' ELSE 'TRADE_ADJUSTED' END,
                    b.trade_id)),
            ('sides that were told', CAST(told.sides AS text), '2')
        ) AS records (what, found, expected)
        WHERE b.status = 'done' AND records.found IS DISTINCT FROM records.expected
        ORDER BY b.id
        """,
    ),
    Rule(
        "busts",
        f"""
        WITH {DONE}
        SELECT b.id, 'last price' AS what, b.last_price AS found, last.price AS expected
        FROM done b LEFT JOIN LATERAL (
            SELECT coalesce(a.new_price, t.price) AS price
            FROM trades t LEFT JOIN done a ON a.trade_id = t.id AND a.command_sequence <= b.command_sequence
            WHERE t.stock_id = b.stock_id AND t.command_sequence < b.command_sequence
                AND (a.id IS NULL OR a.new_price IS NOT NULL)
            ORDER BY t.sequence DESC LIMIT 1
        ) AS last ON true
        WHERE b.last_price IS DISTINCT FROM last.price
        ORDER BY b.id
        """,  # noqa: S608 - constants of this file
    ),
)
"""Each is in the journal, on the tape and in its parties' events, and marks its trade."""

MONEY = (
    Rule(
        "trades",
        f"""
        WITH {DONE}, expected AS (
            SELECT trade_id, 'bust' AS kind, 1 AS asset_id, seller_id AS giver, buyer_id AS taker,
                price * quantity AS amount
            FROM done WHERE new_price IS NULL AND seller_id <> buyer_id
            UNION ALL
            SELECT trade_id, 'bust', stock_id, buyer_id, seller_id, quantity
            FROM done WHERE new_price IS NULL AND seller_id <> buyer_id
            UNION ALL
            SELECT trade_id, 'adjustment', 1, CASE WHEN new_price > price THEN buyer_id ELSE seller_id END,
                CASE WHEN new_price > price THEN seller_id ELSE buyer_id END, abs(new_price - price) * quantity
            FROM done WHERE new_price <> price AND seller_id <> buyer_id
            UNION ALL
            SELECT m.trade_id, 'fee_refund', 1, m.to_broker, m.from_broker, sum(m.amount)
            FROM transfers m JOIN done d ON d.trade_id = m.trade_id AND d.new_price IS NULL
            WHERE m.kind = 'fee' GROUP BY m.trade_id, m.to_broker, m.from_broker
        ), moved AS (
            SELECT trade_id, kind, asset_id, from_broker AS giver, to_broker AS taker, sum(amount) AS amount
            FROM transfers WHERE kind IN ('bust', 'adjustment', 'fee_refund') GROUP BY 1, 2, 3, 4, 5
        )
        SELECT trade_id AS id, format('%s of asset %s from broker %s to %s', kind, asset_id, giver, taker) AS what,
            coalesce(m.amount, 0) AS found, coalesce(e.amount, 0) AS expected
        FROM expected e FULL JOIN moved m USING (trade_id, kind, asset_id, giver, taker)
        WHERE coalesce(m.amount, 0) <> coalesce(e.amount, 0)
        ORDER BY trade_id
        """,  # noqa: S608 - constants of this file
    ),
    Rule(
        "receivable_entries",
        f"""
        SELECT coalesce(e.transfer_id, m.id) AS transfer_id, 'the transfer that it is about' AS what,
            format('%s of asset %s, broker %s', e.amount, e.asset_id, e.broker_id) AS found,
            format('%s %s of asset %s from broker %s to %s', m.kind, m.amount, m.asset_id, m.from_broker, m.to_broker)
                AS expected
        FROM receivable_entries e
        FULL JOIN (SELECT * FROM transfers WHERE kind IN ('advance', 'repayment')) m ON m.id = e.transfer_id
        WHERE (m.asset_id = e.asset_id AND CASE m.kind
            WHEN 'advance' THEN m.amount = e.amount AND m.to_broker = e.broker_id AND m.from_broker = {GUARANTEE}
            ELSE m.amount = -e.amount AND m.from_broker = e.broker_id AND m.to_broker = {GUARANTEE} END) IS NOT TRUE
        ORDER BY 1
        """,  # noqa: S608 - constants of this file
    ),
    Rule(
        "balances",
        """
        WITH entries AS (
            SELECT broker_id, asset_id, sum(amount) AS amount FROM receivable_entries GROUP BY broker_id, asset_id
        )
        SELECT broker_id, asset_id, 'owed' AS what, coalesce(b.owed, 0) AS found, coalesce(e.amount, 0) AS expected
        FROM balances b FULL JOIN entries e USING (broker_id, asset_id)
        WHERE coalesce(b.owed, 0) <> coalesce(e.amount, 0)
        ORDER BY broker_id, asset_id
        """,
    ),
    Rule(
        "balances",
        f"""
        WITH guarantee AS (SELECT asset_id, available FROM balances WHERE broker_id = {GUARANTEE}),
        receivables AS (SELECT asset_id, sum(owed) AS owed FROM balances GROUP BY asset_id)
        SELECT {GUARANTEE} AS broker_id, asset_id, 'advanced by the guarantee account' AS what,
            -coalesce(g.available, 0) AS found, coalesce(r.owed, 0) AS expected
        FROM guarantee g FULL JOIN receivables r USING (asset_id)
        WHERE -coalesce(g.available, 0) <> coalesce(r.owed, 0)
        ORDER BY asset_id
        """,  # noqa: S608 - constants of this file
    ),
    Rule(
        "brokers",
        """
        SELECT k.id, 'status of a debtor' AS what, k.status AS found, 'close_only or suspended' AS expected
        FROM brokers k WHERE k.status = 'active'
            AND EXISTS (SELECT FROM balances b WHERE b.broker_id = k.id AND b.owed > 0)
        ORDER BY k.id
        """,
    ),
    Rule(
        "balances",
        """
        SELECT broker_id, asset_id, 'available to a debtor' AS what, available AS found, -credit_limit AS expected
        FROM balances WHERE owed > 0 AND available > -credit_limit
        ORDER BY broker_id, asset_id
        """,
    ),
)
"""The guarantee account has advanced what brokers owe, and whoever owes has nothing left of it."""
