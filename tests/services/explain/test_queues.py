"""Given market orders that an auction has left, when they are matched in turn, then each meets what is left."""

from engine.book import Book
from engine.terms.codes import SELF_TRADE_PREVENTION
from engine.terms.events import Cancelled, Expired, StateChanged, Trade
from engine.terms.orders import ASK, BID, Order
from engine.terms.rules import Rules
from services.explain.meeting import meeting_of
from services.explain.queues import Queues
from services.history.entry_times import EntryTimes


def test_those_that_an_auction_has_left_come_oldest_first():
    book = Book(Rules(), 1_000, state="auction")
    times = EntryTimes(book, {})
    times.note(5)
    own = Order(1, "a", ASK, "limit", 1_010, 10)
    rest = Order(2, "b", ASK, "limit", 1_010, 30)
    sale = Order(3, "b", ASK, "market", None, 5)
    older = Order(4, "a", BID, "market", 1_050, 8)
    younger = Order(5, "c", BID, "market", 1_050, 9)
    for order in (own, rest, older, younger, sale):
        book.gather(order)
    queues = Queues(book, times, now=7)
    first, second = Trade(rest, older, 1_010, 6), Trade(rest, younger, 1_010, 9)
    events = [
        StateChanged("open"),
        Cancelled(own, 10, SELF_TRADE_PREVENTION),  # before its first trade the older one meets its own
        first,
        Expired(older, 2),
        second,
        Expired(sale, 5),
    ]
    (level,) = meeting_of(events, first, queues, ASK).levels()
    assert [(met.order.id, met.quantity, met.taken, met.prevented, met.since) for met in level] == [
        (1, 10, 0, 10, 5), (2, 30, 6, 0, 5),
    ]  # fmt: skip
    (level,) = meeting_of(events, second, Queues(book, times, now=7), ASK).levels()
    assert [(met.order.id, met.quantity, met.taken) for met in level] == [(2, 24, 9)]
