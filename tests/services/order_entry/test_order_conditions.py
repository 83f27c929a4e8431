"""Given icebergs, post-only, fill-or-kill and day orders, then they trade, rest and release as they say."""

import orjson
import pytest

from database.session import transaction
from services.errors import DisplayQuantityTooSmall, OffLot
from services.market_data.book import read_book, read_entry
from services.order_entry.errors import ValidUntilNotAmendable
from tests.services.floor import MONEY


def test_an_iceberg_shows_a_part_and_each_new_part_goes_to_the_back(floor):
    symbol = floor.stock()
    hiding, plain, buyer = floor.broker(**{symbol: 100}), floor.broker(**{symbol: 100}), floor.broker()
    iceberg = floor.ask(hiding, symbol, 30, 3_500, display_quantity=10)
    behind = floor.ask(plain, symbol, 10, 3_500)
    floor.match(symbol)
    first = floor.bid(buyer, symbol, 15, 3_500)
    floor.match(symbol)
    assert floor.trades(symbol) == [(10, 3_500, first, iceberg), (5, 3_500, first, behind)]
    assert floor.row(iceberg).shown_quantity == 10
    floor.books.forget_all()
    second = floor.bid(buyer, symbol, 12, 3_500)
    floor.match(symbol)
    assert floor.trades(symbol)[2:] == [(5, 3_500, second, behind), (7, 3_500, second, iceberg)]
    assert (floor.row(iceberg).shown_quantity, floor.row(iceberg).remaining_quantity) == (3, 13)


def test_what_an_iceberg_hides_is_seen_by_nobody(floor):
    symbol = floor.stock()
    hiding, other = floor.broker(**{symbol: 100}), floor.broker(**{symbol: 100})
    iceberg, behind = floor.ask(hiding, symbol, 30, 3_500, display_quantity=10), floor.ask(other, symbol, 5, 3_500)
    turn = floor.match(symbol)
    with transaction(floor.engine) as session:
        book = read_book(session, symbol)
        first, second = (read_entry(session, symbol, order_id) for order_id in (iceberg, behind))
    assert book["asks"] == [{"price": 3_500, "total_quantity": 15, "order_count": 2}]
    assert orjson.loads(orjson.dumps(turn.snapshots[symbol]))["asks"] == book["asks"]
    assert (first["remaining_quantity"], second["quantity_ahead"]) == (10, 10)


@pytest.mark.parametrize(("display", "refusal"), [(10, DisplayQuantityTooSmall), (25, OffLot)])
def test_an_iceberg_shows_at_least_a_hundredth_and_whole_lots(floor, display, refusal):
    symbol = floor.stock(lot_size=10)
    seller = floor.broker(**{symbol: 10_000})
    (answer,) = floor.place(floor.order(seller, symbol, "ask", 2_000, 3_500, display_quantity=display))
    assert type(answer) is refusal
    floor.ask(seller, symbol, 2_000, 3_500, display_quantity=20)


def test_an_iceberg_that_is_cut_below_its_display_shows_what_is_left(floor):
    symbol = floor.stock()
    seller = floor.broker(**{symbol: 100})
    iceberg = floor.ask(seller, symbol, 30, 3_500, display_quantity=10)
    floor.match(symbol)
    floor.amend(seller, iceberg, quantity=4)
    floor.match(symbol)
    assert floor.row(iceberg).shown_quantity == 4
    floor.cancel(seller, iceberg)
    floor.match(symbol)
    assert floor.shares(seller, symbol) == (100, 0)


def test_an_iceberg_cannot_grow_until_it_shows_next_to_nothing(floor):
    symbol = floor.stock()
    seller = floor.broker(**{symbol: 10_000})
    iceberg = floor.ask(seller, symbol, 1_000, 3_500, display_quantity=10)
    floor.match(symbol)
    with pytest.raises(DisplayQuantityTooSmall) as refused:
        floor.amend(seller, iceberg, quantity=1_001)
    assert (refused.value.field, refused.value.facts["smallest_display_quantity"]) == ("quantity", 11)
    floor.amend(seller, iceberg, quantity=900)


def test_a_post_only_order_is_rejected_rather_than_take(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.ask(seller, symbol, 10, 3_500)
    taking, resting = (floor.bid(buyer, symbol, 10, price, post_only=True) for price in (3_500, 3_499))
    floor.match(symbol)
    assert (floor.stands(taking)[0], floor.row(taking).close_reason) == ("rejected", "post_only_would_take")
    assert floor.stands(resting)[0] == "open"
    assert floor.cash(buyer) == (MONEY - 34_990, 34_990)


def test_fill_or_kill_fills_all_or_nothing(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.ask(seller, symbol, 10, 3_500)
    killed, filled = (floor.bid(buyer, symbol, quantity, 3_500, time_in_force="fok") for quantity in (11, 10))
    floor.match(symbol)
    assert floor.stands(killed) == ("expired", 0, 0, 11)
    assert floor.stands(filled) == ("filled", 10, 0, 0)


def test_day_orders_end_with_the_day(floor):
    symbol = floor.stock()
    buyer = floor.broker()
    day, stop = (
        floor.bid(buyer, symbol, 10, 3_400, time_in_force="day"),
        floor.bid(buyer, symbol, 10, stop_price=3_600, time_in_force="day"),
    )
    lasting = floor.bid(buyer, symbol, 10, 3_400)
    floor.change(symbol, "roll")
    floor.match(symbol)
    assert [floor.stands(one)[0] for one in (day, stop, lasting)] == ["expired", "expired", "open"]
    assert floor.cash(buyer) == (MONEY - 34_000, 34_000)


def test_a_day_order_can_be_given_no_other_end(floor):
    symbol, buyer = floor.stock(), floor.broker()
    day = floor.bid(buyer, symbol, 10, 3_400, time_in_force="day")
    floor.match(symbol)
    with pytest.raises(ValidUntilNotAmendable):
        floor.amend(buyer, day, valid_until=None)
    floor.amend(buyer, day, quantity=5)
    floor.match(symbol)
    assert floor.row(day).time_in_force == "day"


@pytest.mark.parametrize(
    ("mode", "resting", "incoming"),
    [
        ("cancel_resting", ("cancelled", 0, 0, 10), ("open", 0, 6, 0)),
        ("cancel_incoming", ("open", 0, 10, 0), ("cancelled", 0, 0, 6)),
        ("cancel_both", ("cancelled", 0, 0, 10), ("cancelled", 0, 0, 6)),
        ("decrement", ("open", 0, 4, 6), ("cancelled", 0, 0, 6)),
    ],
)
def test_what_self_trade_prevention_takes_is_accounted_for_and_told(floor, mode, resting, incoming):
    symbol = floor.stock()
    broker = floor.broker(**{symbol: 100})
    ask = floor.ask(broker, symbol, 10, 3_500)
    bid = floor.bid(broker, symbol, 6, 3_500, self_trade_prevention=mode)
    messages = floor.match(symbol).messages
    assert (floor.stands(ask), floor.stands(bid)) == (resting, incoming)
    assert [floor.row(one).prevented_quantity for one in (ask, bid)] == [resting[3], incoming[3]]
    told = {
        one.payload["order_id"]: one.payload["prevented_quantity"] for one in messages if one.event == "ORDER_CANCELLED"
    }
    assert told == {order: taken for order, taken in ((ask, resting[3]), (bid, incoming[3])) if taken}
    assert floor.trades(symbol) == []
