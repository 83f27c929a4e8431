"""The snapshot of a book shows what its open orders add up to, though only the sides that changed are made anew."""

import orjson
import pytest

from database.session import transaction
from services.market_data.book import read_book
from tests.services.stream import Stream


@pytest.mark.parametrize("seed", range(2))
def test_every_snapshot_is_the_book(floor, seed, monkeypatch):
    match, seen = floor.match, []

    def checked(*symbols, **how):
        turn = match(*symbols, **how)
        for symbol, snapshot in turn.snapshots.items():
            with transaction(floor.engine) as session:
                assert orjson.loads(orjson.dumps(snapshot)) == read_book(session, symbol)
            seen.append(snapshot)
        return turn

    monkeypatch.setattr(floor, "match", checked)
    stream = Stream(floor, 100 + seed)
    for _ in range(200):
        stream.step()
    stream.drain()
    assert len(seen) > 40


def test_a_side_that_did_not_change_is_not_made_again(floor, monkeypatch):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.ask(seller, symbol, 10, 3_500)
    floor.match(symbol)
    made = []
    monkeypatch.setattr("services.matching.turn.shown_side", lambda book, side: made.append(side) or b"[]")
    floor.bid(buyer, symbol, 10, 3_400)
    floor.match(symbol)
    assert made == [1]
    floor.bid(buyer, symbol, 5, 3_500)
    floor.match(symbol)
    assert made == [1, 1, -1]
    floor.bid(buyer, symbol, 10, 3_450)
    floor.books.forget_all()
    floor.match(symbol)
    assert made == [1, 1, -1, 1, -1]


def test_after_an_auction_both_sides_show_what_is_left(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.put_into(symbol, "auction")
    floor.bid(buyer, symbol, 60, 3_500)
    floor.match(symbol)
    floor.ask(seller, symbol, 40, 3_490)
    floor.match(symbol)
    floor.change(symbol, "state", "open")
    snapshot = orjson.loads(orjson.dumps(floor.match(symbol).snapshots[symbol]))
    assert (snapshot["bids"], snapshot["asks"]) == ([{"price": 3_500, "total_quantity": 20, "order_count": 1}], [])
