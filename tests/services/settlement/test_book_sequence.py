"""Given a book that changes, then its number goes on by one each time; different books never share one."""

import orjson

from database.session import transaction
from services.market_data.book import read_book


def book(floor, symbol):
    with transaction(floor.engine) as session:
        found = read_book(session, symbol)
    return found["book_sequence"], found["bids"], found["asks"]


def test_each_turn_that_changes_the_book_gives_it_the_next_number(floor):
    symbol, buyer = floor.stock(), floor.broker()
    assert book(floor, symbol)[0] == 0
    bid = floor.bid(buyer, symbol, 10, 3_500)
    floor.match(symbol)
    assert book(floor, symbol)[0] == 1
    floor.amend(buyer, bid, quantity=9)
    floor.match(symbol)
    assert book(floor, symbol)[0] == 2
    floor.cancel(buyer, bid)
    floor.match(symbol)
    assert book(floor, symbol) == (3, [], [])


def test_what_changes_nothing_in_the_book_leaves_its_number(floor):
    symbol, buyer = floor.stock(), floor.broker()
    floor.bid(buyer, symbol, 10, 3_500)
    floor.match(symbol)
    floor.put_into(symbol, "halted")
    floor.put_into(symbol, "open")
    assert book(floor, symbol)[0] == 1


def test_different_books_have_different_numbers_and_the_snapshot_says_the_same(floor):
    """Also behind an auction, where both sides of a trade had been resting."""
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 1_000}), floor.broker()
    seen = {}
    floor.put_into(symbol, "auction")
    for side, price in (("bid", 3_510), ("bid", 3_490), ("ask", 3_480), ("ask", 3_520)):
        broker = buyer if side == "bid" else seller
        floor.accepted(floor.order(broker, symbol, side, 10, price))
        floor.match(symbol)
        seen[book(floor, symbol)[0]] = book(floor, symbol)[1:]
    floor.change(symbol, "state", "open")
    turn = floor.match(symbol)
    seen[book(floor, symbol)[0]] = book(floor, symbol)[1:]
    assert len(seen) == 5
    snapshot = orjson.loads(orjson.dumps(turn.snapshots[symbol]))
    assert (snapshot["book_sequence"], snapshot["bids"], snapshot["asks"]) == book(floor, symbol)
    assert [level["price"] for level in snapshot["bids"]] == [3_490]
    assert [level["price"] for level in snapshot["asks"]] == [3_520]
