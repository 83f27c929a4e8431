"""`Book.check` sees every way in which a book can contradict itself."""

import pytest

from engine import ASK, BID, Book, BrokenBook, New, Order, Rules


def sound_book():
    book = Book(Rules())
    for number, (side, price) in enumerate(
        [(BID, 1000), (BID, 1000), (BID, 1000), (BID, 990), (ASK, 1010), (ASK, 1020)]
    ):
        book.apply(New(Order(number, None, side, "limit", price, 10, "gtd", 100)), 1)
    return book


def swap_first_two(book):
    level = book.bids.best
    first, second, third = level
    level.head, second.ahead, second.behind = second, None, first
    first.ahead, first.behind, third.ahead = second, third, first


def order(number, **more):
    return Order(number, None, BID, "market", None, 10, **more)


def gathers(book):
    book.bids.market.append(order(9))


def gathers_uncounted(book):
    gathers(book)
    book.bids.market.count = 0


def shows_too_much(book):
    first = book.asks.best.head
    first.display_quantity, first.shown = 5, 11


def waits_among(stops, stop_price):
    """A fault: let a buy stop wait at 1000 among `stops`."""

    def fault(book):
        stop = Order(9, None, BID, "stop", None, 10, priority=1, stop_price=stop_price)
        getattr(book, stops).append(stop, 1000)
        book.orders[9] = stop

    return fault


def cross(book):
    for order in book.queue(ASK)[:1]:
        book.leave(order)
        order.price = 1000
        book.rest(order, 1000)


def sets(path, value):
    """A fault: set the attribute at `path`, seen from the book, to `value`."""

    def fault(book):
        *owners, name = path.split(".")
        for owner in owners:
            book = getattr(book, owner)
        setattr(book, name, value)

    return fault


FAULTS = {
    "uncrossed": (cross, "the book is crossed: bid 1000, ask 1000"),
    "total": (sets("bids.best.quantity", 31), "level 1000 says 31 shares, but shows 30"),
    "count": (sets("bids.best.count", 2), "level 1000 counts 2 orders, but holds 3"),
    "tail": (sets("bids.best.tail", None), "the last order of level 1000 is not its tail"),
    "empty": (lambda book: book.asks.best.remove(book.orders[4]), "level 1010 is empty"),
    "key": (sets("asks.best.key", 1010), "the asks keep level 1010 under key -1010"),
    "best": (
        lambda book: setattr(book.bids, "best", book.bids.levels[990]),
        "the best level of the bids is not the one at hand",
    ),
    "sorted": (lambda book: book.bids.keys.reverse(), "the bids are not sorted"),
    "key twice": (sets("bids.keys", [1000, 1000]), "the bids are not sorted"),
    "keys": (lambda book: book.bids.keys.append(1001), "the bids have 3 keys, 2 levels"),
    "fifo": (swap_first_two, "<Order 0 bid 10 of 10 at 1000> stands behind a younger order"),
    "link back": (sets("bids.best.head.behind.ahead", None), "<Order 1 bid 10 of 10 at 1000> is wrongly linked"),
    "level link": (sets("bids.best.head.level", None), "<Order 0 bid 10 of 10 at 1000> is wrongly linked"),
    "index": (
        lambda book: book.orders.pop(3),
        "<Order 3 bid 10 of 10 at 990> is in the book, but the index does not know it",
    ),
    "index only": (lambda book: book.orders.update(ghost=book.orders[3]), "7 orders are indexed, but 6 wait"),
    "price": (sets("asks.best.head.price", 1011), "waits in the wrong place, at 1010"),
    "side": (sets("asks.best.head.side", BID), "waits in the wrong place, at 1010"),
    "remaining": (sets("asks.best.head.remaining", 0), "has nothing left"),
    "type": (sets("asks.best.head.type", "market"), "waits in the wrong place, at 1010"),
    "time in force": (sets("asks.best.head.tif", "ioc"), "waits in the wrong place, at 1010"),
    "stop": (sets("asks.best.head.type", "stop"), "waits in the wrong place, at 1010"),
    "hidden": (sets("asks.best.hidden", 1), "level 1010 says 1 hidden shares, but hides 0"),
    "shown": (shows_too_much, "<Order 4 ask 10 of 10 at 1010> shows 11"),
    "nothing shown": (sets("asks.best.head.display_quantity", 5), "waits in the wrong place, at 1010"),
    "gathered": (gathers, "market orders wait although orders match as they come"),
    "gathered, not counted": (gathers_uncounted, "market orders wait although orders match as they come"),
    "gathered, only counted": (sets("asks.market.count", 1), "market orders wait although orders match as they come"),
    "stop elsewhere": (waits_among("sell_stops", 1000), "waits in the wrong place, at 1000"),
    "stop at another price": (waits_among("buy_stops", 1005), "waits in the wrong place, at 1000"),
    "sum": (sets("asks.best.head.filled", 1), "has used 1, which does not add up"),
    "expired": (sets("now", 100), "rests although it expired at 100"),
    "unwatched": (lambda book: book.expiries.heap.clear(), "would never expire"),
    "watched until another time": (sets("bids.best.head.expire_at", 101), "would never expire"),
    "next priority": (sets("next_priority", 6), "the book would give out priority 6 again"),
    "same priority": (
        sets("bids.best.tail.priority", 2),
        "<Order 2 bid 10 of 10 at 1000> stands behind a younger order",
    ),
}


def test_a_sound_book_passes():
    sound_book().check()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(fault):
    make, message = FAULTS[fault]
    book = sound_book()
    make(book)
    with pytest.raises(BrokenBook) as broken:
        book.check()
    assert str(broken.value).endswith(message)
