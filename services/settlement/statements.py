"""The statements that store a turn: set-based, every list one array. `settle` says in which order."""

UPDATE_ORDERS = """
    WITH locked AS MATERIALIZED (
        SELECT t.* FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
            $7::bigint[], $8::bigint[], $9::timestamptz[], $10::bigint[], $11::bigint[], $12::text[])
            AS t (id, status, price, quantity, filled, remaining, cancelled, notional, valid_until, sequence, priority,
                reject_code)
        JOIN orders o ON o.id = t.id
        ORDER BY o.id FOR NO KEY UPDATE OF o
    )
    UPDATE orders o SET status = t.status, price = CASE WHEN o.price IS NOT NULL THEN t.price END,
        quantity = t.quantity, filled_quantity = t.filled, remaining_quantity = t.remaining,
        cancelled_quantity = t.cancelled, filled_notional = t.notional, valid_until = t.valid_until,
        time_in_force = CASE WHEN o.time_in_force NOT IN ('gtc', 'gtd') THEN o.time_in_force
            WHEN t.valid_until IS NULL THEN 'gtc' ELSE 'gtd' END,
        sequence = coalesce(t.sequence, o.sequence), priority = t.priority, reject_code = t.reject_code,
        updated_at = clock_timestamp(), closed_at = CASE WHEN t.remaining = 0 THEN clock_timestamp() END
    FROM locked t
    WHERE o.id = t.id
    RETURNING o.id, o.client_order_id, o.order_type, o.time_in_force, o.document_number, o.valid_until, o.created_at,
        o.sequence
"""

UPDATE_SPECIALS = """
    UPDATE orders o SET shown_quantity = t.shown, prevented_quantity = o.prevented_quantity + t.prevented,
        triggered_at = coalesce(o.triggered_at, t.triggered_at)
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[]) AS t (id, shown, prevented, triggered_at)
    WHERE o.id = t.id
"""
"""For the few orders that have more than a limit; `UPDATE_ORDERS` has locked and changed them before."""

TAKE_COMMANDS = """
    UPDATE commands c SET sequence = t.sequence, sequenced_at = t.sequenced_at, refused = t.refused, error = t.error
    FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[])
        AS t (id, sequence, sequenced_at, refused, error)
    WHERE c.id = t.id
"""

INSERT_TRADES = """
    INSERT INTO trades (stock_id, sequence, command_sequence, price, quantity, reference_price, aggressor_side,
        executed_at, buy_order_id, sell_order_id, buyer_id, seller_id)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
        $8::timestamptz[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])
    RETURNING stock_id, sequence, id
"""

INSERT_TRANSFERS = """
    INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket, order_id, trade_id)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::text[],
        $8::bigint[], $9::bigint[])
"""

INSERT_EVENTS = """
    INSERT INTO events (stock_id, sequence, kind, payload)
    SELECT stock_id, sequence, kind, payload
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::json[]) AS t (stock_id, sequence, kind, payload)
"""

UPDATE_STOCKS = """
    UPDATE stocks s SET book_version = s.book_version + 1, command_sequence = t.command_sequence,
        event_sequence = t.event_sequence, sequenced_at = t.sequenced_at, reference_price = t.reference_price,
        last_price = t.last_price, best_bid = t.best_bid, best_ask = t.best_ask
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::bigint[])
        AS t (id, command_sequence, event_sequence, sequenced_at, reference_price, last_price, best_bid, best_ask)
    WHERE s.id = t.id
"""

UPDATE_MARKETS = """
    UPDATE stocks s SET state = t.state,
        state_reason = CASE WHEN t.changed THEN t.reason ELSE s.state_reason END,
        state_since = CASE WHEN t.changed THEN t.since ELSE s.state_since END,
        indicative_price = t.price, indicative_volume = t.volume, indicative_surplus = t.surplus
    FROM unnest($1::bigint[], $2::text[], $3::boolean[], $4::text[], $5::timestamptz[], $6::bigint[], $7::bigint[],
        $8::bigint[])
        AS t (id, state, changed, reason, since, price, volume, surplus)
    WHERE s.id = t.id
"""
"""For the few stocks whose trading state changed, or what their auction would bring."""
