"""The heap of ends, tidied while orders come and go."""

from engine import BID, Book, Cancel, Clock, New, Order, Rules


def quote(name, ends):
    return New(Order(name, None, BID, "limit", 900, 1, "gtd", ends))


def test_ends_are_kept_in_order_while_cancelled_quotes_are_tidied_away():
    """Given orders of which the first to come is the last to end, when many quotes are replaced, then each still ends
    in its turn."""
    book = Book(Rules())
    for name, ends in (("late", 50), ("later", 60), ("early", 30), ("soon", 40)):
        book.apply(quote(name, ends), 1)
    for number in range(200):
        book.apply(quote(number, 100), 1)
        book.apply(Cancel(number), 1)
        book.check()
    assert len(book.expiries.heap) < 100
    ended = [[expired.order.id for expired in book.apply(Clock(), now)] for now in (30, 40, 50, 60)]
    assert ended == [["early"], ["soon"], ["late"], ["later"]]
