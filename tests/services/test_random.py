"""Whatever is traded in whatever order, and whichever turns are lost: everything that must always be true is."""

import pytest

from tests.services.stream import Stream

STEPS = 250

SEEN = {
    "placed", "known", "trades", "amend", "cancel", "insufficient_funds", "insufficient_shares",
    "client_order_id_reused",
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
    statuses = {row.status for row in floor.query("SELECT DISTINCT status FROM orders")}
    assert statuses >= {"open", "partially_filled", "filled", "cancelled", "expired"}
