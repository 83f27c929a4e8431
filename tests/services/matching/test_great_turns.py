"""Given commands that bring very much, as when a market opens, then they are taken in turns that PostgreSQL bears."""

import time

import pytest

from database.session import PLANS, connect
from engine.book import Book
from tests.services.floor import Floor


@pytest.fixture
def gathered(floor):
    """Three stocks in which twenty orders each have gathered, and the market asked to open."""
    symbols = [floor.stock() for _ in range(3)]
    buyer, seller = floor.broker(), floor.broker(**dict.fromkeys(symbols, 1_000))
    for symbol in symbols:
        floor.put_into(symbol, "pre_open")
        for _ in range(10):
            floor.ask(seller, symbol, 1, 3_500)
            floor.bid(buyer, symbol, 1, 3_500)
    floor.match()
    for symbol in symbols:
        floor.change(symbol, "state", "open")
    return symbols


def test_a_turn_that_brings_enough_leaves_the_rest_to_the_next(floor, gathered, monkeypatch):
    monkeypatch.setattr("services.matching.carry_out.MOST_REPORTS", 15)
    before = floor.books.rebuilds
    turns = []
    while not turns or turns[-1].more:
        turns.append(floor.match(*gathered))
    assert [(turn.commands, turn.trades, turn.more) for turn in turns] == [(1, 10, True), (1, 10, True), (1, 10, False)]
    assert [len(turn.snapshots) for turn in turns] == [1, 1, 1]
    assert floor.books.rebuilds == before, "the books of stocks that had to wait are still known"


def test_the_books_of_stocks_that_had_to_wait_need_not_be_rebuilt(floor, gathered, monkeypatch):
    monkeypatch.setattr("services.matching.carry_out.MOST_REPORTS", 15)
    floor.books.forget_all()
    before = floor.books.rebuilds
    while floor.match(*gathered).more:
        pass
    assert floor.books.rebuilds == before + len(gathered)


def test_one_command_that_takes_long_is_given_the_time(database_url, floor, gathered, monkeypatch):
    """The transactions of a silent worker are ended; what cannot be divided must not end so again and again."""
    impatient = connect(database_url, pool_size=1, idle_in_transaction_session_timeout=200, **PLANS)
    apply = Book.apply

    def slow(self, command, now):
        time.sleep(0.4)
        return apply(self, command, now)

    worker = Floor(impatient)
    worker.symbols = floor.symbols
    with monkeypatch.context() as slowed:
        slowed.setattr(Book, "apply", slow)
        assert worker.match(*gathered[:1]).trades == 10
    impatient.dispose()
