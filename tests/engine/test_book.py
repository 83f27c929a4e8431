"""What a book answers about itself, and what whoever holds one relies on."""

import doctest

import pytest

import engine
from engine import ASK, BID, Accepted, Amend, Amended, Book, Cancel, Clock, New, Order, Rules, Trade


def order(order_id, side, price, quantity, **more):
    """A limit order of nobody's, unless more is said."""
    return Order(order_id, None, side, "limit", price, quantity, **more)


@pytest.fixture
def book():
    """Bids: 1000 a 5, b 3 | 990 c 7 | 970 d 1; asks: 1010 e 2 | 1030 f 9."""
    book = Book(Rules())
    for order_id, side, price, quantity in [
        ("c", BID, 990, 7),
        ("a", BID, 1000, 5),
        ("e", ASK, 1010, 2),
        ("d", BID, 970, 1),
        ("f", ASK, 1030, 9),
        ("b", BID, 1000, 3),
    ]:
        book.apply(New(order(order_id, side, price, quantity)), 1)
    book.check()
    return book


def test_best(book):
    assert (book.best(BID), book.best(ASK)) == (1000, 1010)
    assert Book(Rules()).best(BID) is None


def test_depth_gives_price_total_and_count_best_first(book):
    assert book.depth(BID, 2) == [(1000, 8, 2), (990, 7, 1)]
    assert book.depth(BID, 10) == [(1000, 8, 2), (990, 7, 1), (970, 1, 1)]
    assert book.depth(ASK, 10) == [(1010, 2, 1), (1030, 9, 1)]
    assert book.depth(ASK, 0) == []


def test_queue_gives_the_orders_as_they_would_trade(book):
    assert [order.id for order in book.queue(BID)] == ["a", "b", "c", "d"]
    assert [order.id for order in book.queue(ASK)] == ["e", "f"]


def test_orders_are_those_that_rest(book):
    assert set(book.orders) == set("abcdef")
    taken = book.orders["a"]
    book.apply(New(order("g", ASK, 1000, 6)), 1)
    assert set(book.orders) == set("bcdef")
    assert not taken.open
    assert book.orders["b"].open


def test_events_carry_the_orders_with_their_sums(book):
    resting = book.orders["a"]
    incoming = order("g", ASK, 1000, 4)
    accepted, trade = book.apply(New(incoming), 1)
    assert accepted == Accepted(incoming)
    assert trade == Trade(resting, incoming, 1000, 4)
    assert trade.maker is resting
    assert (resting.filled, resting.filled_value, resting.remaining) == (4, 4000, 1)
    assert (incoming.filled, incoming.filled_value, incoming.remaining) == (4, 4000, 0)


def test_an_amendment_tells_what_was_before(book):
    assert book.apply(Amend("a", price=980, quantity=9), 1) == [Amended(book.orders["a"], 980, 9, False, 1000, 5, 9)]


def test_priority_is_given_anew_when_an_order_joins_the_back(book):
    before = book.orders["a"].priority
    book.apply(Amend("a", quantity=4), 1)
    assert book.orders["a"].priority == before
    book.apply(Amend("a", quantity=6), 1)
    assert book.orders["a"].priority > book.orders["b"].priority


def test_last_price_is_that_of_the_last_trade(book):
    assert book.last_price is None
    book.apply(New(order("g", ASK, 990, 10)), 1)
    assert book.last_price == 990
    book.apply(Cancel("c"), 1)
    assert book.last_price == 990


def test_the_reference_can_be_set_and_moves_the_band():
    book = Book(Rules(band_bps=1000), reference=1000)
    assert (book.lowest, book.highest) == (900, 1100)
    book.reference = 2000
    assert (book.lowest, book.highest) == (1800, 2200)
    [rejected] = book.apply(New(order(1, BID, 1000, 1)), 1)
    assert rejected.code == "price_outside_band"


def test_what_is_no_command_is_an_error():
    with pytest.raises(TypeError, match="not a command"):
        Book(Rules()).apply("cancel", 1)


def test_closed_orders_hold_on_to_nothing(book):
    """A filled order that still pointed at its neighbours would keep the whole queue in memory."""
    first, second, third = (book.orders[name] for name in "abc")
    book.apply(New(order("g", ASK, 1000, 8)), 1)
    book.apply(Cancel("c"), 1)
    for closed in (first, second, third):
        assert (closed.level, closed.ahead, closed.behind) == (None, None, None)


def test_quotes_replaced_all_day_do_not_pile_up(book):
    """Cancelled orders with an end leave entries behind, which are thrown away long before that end."""
    for number in range(10_000):
        book.apply(New(order(number, BID, 900, 1, tif="gtd", expire_at=10**9)), 1)
        book.apply(Cancel(number), 1)
    assert len(book.expiries.heap) < 200
    book.apply(New(order("late", BID, 900, 1, tif="gtd", expire_at=10**9)), 1)
    book.check()
    [expired] = book.apply(Clock(), 10**9)
    assert (expired.order.id, expired.quantity) == ("late", 1)


def test_restore_keeps_priorities_and_goes_on_from_them():
    book = Book(Rules())
    book.restore(
        [order("a", BID, 1000, 5, filled=2, filled_value=2000, priority=7), order("b", BID, 1000, 5, priority=9)]
    )
    book.check()
    book.apply(New(order("c", BID, 1000, 1)), 1)
    assert [(o.id, o.remaining, o.priority) for o in book.queue(BID)] == [("a", 3, 7), ("b", 5, 9), ("c", 1, 10)]


def test_restore_takes_the_first_order_that_a_book_ever_had():
    book = Book(Rules())
    book.apply(New(order("a", BID, 1000, 5)), 1)
    again = Book(Rules())
    again.restore([order("a", BID, 1000, 5, priority=book.orders["a"].priority)])
    again.check()
    assert again.orders["a"].priority == book.orders["a"].priority


def test_restore_refuses_an_order_that_was_never_in_a_book():
    with pytest.raises(ValueError, match="order 'a' is not in priority order"):
        Book(Rules()).restore([order("a", BID, 1000, 5)])


@pytest.mark.parametrize(
    "second",
    [
        order("b", BID, 1000, 5, priority=7),
        order("b", BID, 1000, 5, priority=6),
        order("a", BID, 1000, 5, priority=8),
        order("b", BID, None, 5, priority=8),
        order("b", BID, 1000, 5, priority=8, filled=5),
        order("b", BID, 1000, 5, priority=8, tif="ioc"),
        Order("b", None, BID, "market", 1000, 5, priority=8),
        Order("b", None, BID, "stop", 1000, 5, priority=8, stop_price=990, elected=True),
    ],
)
def test_restore_refuses_what_cannot_have_rested(second):
    book = Book(Rules())
    with pytest.raises(ValueError, match=f"order '{second.id}'"):
        book.restore([order("a", BID, 1000, 5, priority=7), second])


def test_an_order_reads_well_in_a_message():
    assert repr(order(7, ASK, 1000, 5, filled=2)) == "<Order 7 ask 3 of 5 at 1000>"


def test_the_example_in_the_docstring_holds():
    assert doctest.testmod(engine) == doctest.TestResults(failed=0, attempted=5)
