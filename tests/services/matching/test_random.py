"""Whatever is traded in whatever order, and whichever turns are lost: everything that must always be true is."""

import pytest

from tests.services.stream import Stream

STEPS = 320

SEEN = {
    "placed", "known", "trades", "amend", "cancel", "insufficient_funds", "insufficient_shares",
    "client_order_id_reused", "auction", "pre_open", "halted", "closed", "uncross", "roll", "changes of fees",
    "positions closed", "busts asked",
}  # fmt: skip
"""What a stream must have come upon to prove anything."""


@pytest.mark.parametrize("seed", range(4))
def test_random_trading(floor, seed):
    stream = Stream(floor, seed)
    for _ in range(STEPS):
        stream.step()
        stream.check_cash()
    stream.drain()
    stream.check_cash()
    assert SEEN - stream.seen.keys() == set()
    (busts,) = floor.query("""
        SELECT count(*) FILTER (WHERE status = 'done') AS done, count(*) FILTER (WHERE new_price > 0) AS adjusted,
            (SELECT count(*) FROM receivable_entries WHERE amount > 0) AS advances,
            (SELECT count(*) FROM receivable_entries WHERE amount < 0) AS repayments
        FROM busts
    """)
    assert all(busts)
    statuses = {row.status for row in floor.query("SELECT DISTINCT status FROM orders")}
    assert statuses >= {"untriggered", "open", "partially_filled", "filled", "cancelled", "expired", "rejected"}
    (row,) = floor.query("""
        SELECT count(DISTINCT order_type) AS types, count(DISTINCT time_in_force) AS times,
            max(triggered_at) AS elected, sum(prevented_quantity) AS prevented,
            count(*) FILTER (WHERE post_only AND status = 'rejected') AS refused,
            count(*) FILTER (WHERE display_quantity < filled_quantity) AS renewed
        FROM orders
    """)
    assert (row.types, row.times) == (4, 5)
    assert all((row.elected, row.prevented, row.refused, row.renewed))
