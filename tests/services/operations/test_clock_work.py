"""What the clock asks of the database: orders that run out, inboxes that nobody looks at, and who may be the clock."""

from datetime import UTC, datetime, timedelta

from database.session import transaction
from services.matching.sweep import forgotten_stocks, symbols_of, waiting_stocks
from services.operations.lease import release_lease, take_lease
from services.order_entry.changing.expire import expire_due_orders


def asked(floor, question, *arguments):
    with transaction(floor.engine) as session:
        return question(session, *arguments)


def test_a_due_order_is_asked_to_expire_once_and_the_book_decides(floor):
    symbol, other = floor.stock(), floor.stock()
    buyer = floor.broker()
    soon = datetime.now(UTC) + timedelta(seconds=2)  # a busy machine may take long to place and match
    due = floor.bid(buyer, symbol, 1, 3_500, valid_until=soon)
    also_due = floor.bid(buyer, symbol, 1, 3_500, valid_until=soon)
    later = floor.bid(buyer, other, 1, 3_500, valid_until=soon + timedelta(hours=1))
    floor.match()
    assert asked(floor, expire_due_orders) == []
    floor.query("SELECT pg_sleep(greatest(0, extract(epoch FROM :soon - clock_timestamp())))", soon=soon)
    assert asked(floor, expire_due_orders) == [(symbol, "A")]
    assert asked(floor, expire_due_orders) == []
    floor.match()
    assert [floor.row(order).status for order in (due, also_due, later)] == ["expired", "expired", "open"]
    assert floor.cash(buyer)[1] == 3_500
    assert asked(floor, expire_due_orders) == []


def test_a_pending_order_that_is_due_is_asked_too_and_expires_as_it_comes(floor):
    symbol, buyer = floor.stock(), floor.broker()
    order = floor.bid(buyer, symbol, 1, 3_500, valid_until=datetime.now(UTC) + timedelta(milliseconds=30))
    floor.query("SELECT pg_sleep(0.05)")
    assert asked(floor, expire_due_orders) == [(symbol, "A")]
    floor.match()
    assert floor.stands(order) == ("expired", 0, 0, 1)


def test_an_inbox_that_waits_too_long_is_found(floor):
    symbol, buyer = floor.stock(), floor.broker()
    floor.match()
    floor.bid(buyer, symbol, 1, 3_500)
    assert asked(floor, forgotten_stocks, 10_000) == []
    floor.query("SELECT pg_sleep(0.02)")
    assert asked(floor, forgotten_stocks, 10) == [(symbol, "A")]
    assert asked(floor, waiting_stocks, "A") == [symbol]
    assert asked(floor, waiting_stocks, "B") == []
    assert symbol in asked(floor, symbols_of, "A")
    floor.match()
    assert asked(floor, forgotten_stocks, 0) == asked(floor, waiting_stocks, "A") == []


def test_one_holds_a_lease_until_it_lets_go_or_falls_silent(floor):
    assert asked(floor, take_lease, "clock", "one", 60)
    assert not asked(floor, take_lease, "clock", "two", 60)
    assert asked(floor, take_lease, "clock", "one", 60)
    assert asked(floor, take_lease, "other", "two", 60)
    asked(floor, release_lease, "clock", "two")
    assert not asked(floor, take_lease, "clock", "two", 60)
    asked(floor, release_lease, "clock", "one")
    assert asked(floor, take_lease, "clock", "two", 0)
    floor.query("SELECT pg_sleep(0.01)")
    assert asked(floor, take_lease, "clock", "one", 60)
