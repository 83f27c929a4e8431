"""Trading begins in a book whose tick has grown: an ask between two ticks is there, where no auction can reach it."""

import pytest

from engine import ASK, BID, Book, Order, Rules, State
from tests.engine.stories import line


@pytest.fixture
def open_with():
    def apply(ask, *bids, others=(), **rules):
        """Open a book with a tick of 5 cents, an ask of 5 shares at `ask`, and market bids of 3 shares that wait."""
        book = Book(Rules(tick=5, **rules), reference=1000, last_price=1000, state="auction")
        resting = Order("ask", None, ASK, "limit", ask, 5, priority=1)
        waiting = [Order(name, None, BID, "market", None, 3, priority=2 + n) for n, name in enumerate(bids)]
        book.restore([resting, *waiting, *others])
        events = book.apply(State("open"), 1)
        book.check()
        return book, [line(event) for event in events]

    return apply


def test_market_orders_that_no_auction_could_trade_are_matched_oldest_first(open_with):
    book, told = open_with(1003, "first", "second")
    assert told == ["state open", "trade ask first 3 @ 1003", "trade ask second 2 @ 1003", "expired second 1"]
    assert not book.orders


def test_once_one_of_them_calls_a_volatility_auction_the_others_keep_waiting_where_they_are(open_with):
    book, told = open_with(1023, "first", "second", dynamic_band_bps=200)
    assert told == ["state open", "state auction volatility", "expired first 3"]
    assert (book.orders["second"].priority, book.orders["second"].remaining) == (3, 3)


def test_the_dynamic_band_is_to_the_cent_and_reaches_an_ask_between_two_ticks(open_with):
    _, told = open_with(1003, "first", dynamic_band_bps=30)
    assert told == ["state open", "trade ask first 3 @ 1003"]


def test_a_stop_that_the_auction_has_reached_is_elected_though_what_was_left_over_has_moved_the_price_on(open_with):
    seller = Order("seller", None, ASK, "limit", 1000, 2, priority=10)
    stop = Order("stop", None, ASK, "stop", None, 1, stop_price=1000, priority=11)
    _, told = open_with(1003, "first", others=[seller, stop])
    assert told == [
        "trade first seller 2 @ 1000",
        "state open",
        "trade ask first 1 @ 1003",
        "triggered stop",
        "expired stop 1",
    ]
