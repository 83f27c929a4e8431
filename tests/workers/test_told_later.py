"""A turn's messages may be made while the next one is stored: they say what they would have said at once."""

import pytest

from database.session import transaction
from queues.bus import Bus
from services.matching.books import StuckStock
from services.order_entry.changing.cancel import Cancel, cancel_orders
from services.order_entry.command_result import CommandResult
from workers.group import GroupWorker
from workers.presence import Presence


class Heard:
    """A bus that notes what it is given."""

    def __init__(self):
        self.messages, self.shown, self.replies, self.changed = [], [], [], []

    def announce(self, messages, snapshots=(), replies=(), changed=None):
        self.messages += messages
        self.changed += list(snapshots) if changed is None else changed
        self.show(snapshots, replies)

    def show(self, snapshots, replies):
        self.shown += list(snapshots)
        self.replies += replies


@pytest.fixture
def matcher(exchange):
    def make(*, later):
        made = exchange.matcher()
        made.bus, made.tells_later = Heard(), later
        return made

    return make


def told(matcher, stock, exchange):
    """What is told of an order that rests, is filled in part and is cancelled."""
    ask = exchange.place(stock, "ask", 1000, quantity=30)
    matcher.run_once([stock])
    exchange.place(stock, "bid", 1000, quantity=10, document="2")
    matcher.run_once([stock])
    with transaction(exchange.engine) as session:
        cancel_orders(session, [Cancel(exchange.broker_id, ask)])
    matcher.run_once([stock])
    matcher.tell()
    return [
        (message["event"], message["payload"].get("status"), message["payload"].get("remaining_quantity"))
        for message in matcher.bus.messages
    ]


def test_what_is_told_later_is_what_was_told_at_once(exchange, matcher):
    at_once = told(matcher(later=False), exchange.list("LATER1"), exchange)
    later = told(matcher(later=True), exchange.list("LATER2"), exchange)
    assert later == at_once
    assert ("ORDER_OPENED", "open", 30) in later
    assert ("ORDER_FILLED", "partially_filled", 20) in later


def test_books_and_replies_never_wait(exchange, matcher):
    stock, one = exchange.list("LATER3"), matcher(later=True)
    order = exchange.place(stock, "bid", 1000)
    with transaction(exchange.engine) as session:
        cancel_orders(session, [Cancel(exchange.broker_id, order, "somebody/1")])
    one.run_once([stock])
    told = [("somebody/1", CommandResult(2, None, False))]
    assert (one.bus.shown, one.bus.replies, one.bus.messages) == ([stock], told, [])
    one.tell()
    assert one.bus.messages
    assert one.bus.changed == [stock]
    assert one.bus.shown == [stock]


def test_messages_are_told_with_the_next_turn_and_once(exchange, matcher):
    stock, one = exchange.list("LATER4"), matcher(later=True)
    first = exchange.place(stock, "bid", 1000)
    one.run_once([stock])
    second = exchange.place(stock, "bid", 1001)
    one.run_once([stock])
    orders = [message["payload"]["order_id"] for message in one.bus.messages if "order_id" in message["payload"]]
    assert orders == [first]
    one.tell()
    one.tell()
    orders = [message["payload"]["order_id"] for message in one.bus.messages if "order_id" in message["payload"]]
    assert orders == [first, second]


def test_a_turn_that_breaks_leaves_what_was_untold_to_be_told(exchange, matcher, monkeypatch):
    stock, one = exchange.list("LATER5"), matcher(later=True)
    exchange.place(stock, "bid", 1000)
    one.run_once([stock])
    exchange.place(stock, "bid", 1001)
    with monkeypatch.context() as broken, pytest.raises(StuckStock):
        broken.setattr("services.matching.match.store_turn", lambda *_: 1 / 0)
        one.run_once([stock])
    one.tell()
    assert [message["event"] for message in one.bus.messages if message["event"] == "ORDER_OPENED"]


def test_a_worker_with_nothing_else_to_do_tells_at_once(exchange):
    stock = exchange.list("LATER6", "G-later")
    one = exchange.matcher()
    one.bus = Heard()
    worker = GroupWorker("G-later", one, exchange.wakeups, Presence("G-later", exchange.redis))
    exchange.place(stock, "bid", 1000)
    exchange.wakeups.wake([(stock, "G-later")])
    worker.run_once()
    assert one.bus.messages == []
    worker.run_once()
    assert one.bus.messages
    assert isinstance(exchange.matcher().bus, Bus)
