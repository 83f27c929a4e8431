"""Books are kept now and then, and from there on they are as they were, to the last place in time."""

from functools import partial

import pytest

from database.session import transaction
from services.history import rebuilding
from services.history.keeping import keep_books
from services.history.rebuilding import BrokenHistory, TooFar, book_before
from tests.services.floor import Floor
from tests.services.stream import Stream


def keep(floor: Floor, **how: int) -> int:
    with transaction(floor.engine) as session:
        return keep_books(session, **how)


def kept(floor: Floor, symbol: str) -> list[int]:
    """The commands after which the stock's book was kept."""
    rows = floor.query(
        "SELECT command_sequence FROM book_checkpoints WHERE stock_id = :id ORDER BY 1", id=floor.symbols[symbol]
    )
    return [row.command_sequence for row in rows]


def stock_of(floor: Floor, symbol: str):
    return floor.query("SELECT * FROM stocks WHERE id = :id", id=floor.symbols[symbol])[0]


def book_at(floor: Floor, symbol: str, sequence: int):
    return book_before(partial(transaction, floor.engine), stock_of(floor, symbol), sequence, lambda: None)


def facts(before):
    """All orders in their priority: what is left of each, and since when it has its place."""
    orders = sorted(before.book.orders.values(), key=lambda order: order.priority)
    return [(o.id, o.price, o.filled, o.remaining, o.shown, o.elected, before.entered.of(o)) for o in orders]


def test_a_book_is_kept_once_enough_has_happened(floor):
    symbol, seller = floor.stock(), floor.broker()
    for _ in range(4):
        floor.bid(seller, symbol, 1, 3_400)
    floor.match(symbol)
    assert (keep(floor, every=5), kept(floor, symbol)) == (0, [])
    floor.bid(seller, symbol, 1, 3_400)
    floor.match(symbol)
    assert (keep(floor, every=5), kept(floor, symbol)) == (1, [5])
    assert (keep(floor, every=5), kept(floor, symbol)) == (0, [5])


def test_a_deep_book_is_kept_less_often(floor):
    symbol, buyer = floor.stock(), floor.broker()
    for _ in range(12):
        floor.bid(buyer, symbol, 1, 3_400)
    floor.match(symbol)
    keep(floor, every=1)
    for commands, is_due in ((2, 0), (1, 1)):
        for _ in range(commands):
            floor.bid(buyer, symbol, 1, 3_400)
        floor.match(symbol)
        assert keep(floor, every=1) == is_due
    assert kept(floor, symbol) == [12, 15]


def test_the_most_overdue_come_first(floor):
    keep(floor, every=1, most=1_000)
    quiet, busy, buyer = floor.stock(), floor.stock(), floor.broker()
    for symbol in (quiet, busy, busy):
        floor.bid(buyer, symbol, 1, 3_400)
    floor.match()
    assert keep(floor, every=1, most=1) == 1
    assert (kept(floor, quiet), kept(floor, busy)) == ([], [2])
    assert keep(floor, every=1, most=1) == 1
    assert (kept(floor, quiet), kept(floor, busy)) == ([1], [2])


def test_a_stock_in_which_nothing_happened_is_not_kept(floor):
    symbol = floor.stock()
    keep(floor, every=0)
    assert kept(floor, symbol) == []


@pytest.mark.parametrize("seed", range(2))
def test_from_a_kept_book_on_all_is_as_from_the_beginning(floor, seed):
    stream = Stream(floor, seed)
    for step in range(200):
        stream.step()
        if step in (60, 130):
            keep(floor, every=1)
    stream.drain()
    for symbol in stream.symbols:
        last = stock_of(floor, symbol).command_sequence
        asked = range(1, last + 1, 7)
        from_kept = [facts(book_at(floor, symbol, sequence)) for sequence in asked]
        assert len(kept(floor, symbol)) >= 1
        floor.run("ALTER TABLE book_checkpoints RENAME TO put_aside")
        floor.run("CREATE TABLE book_checkpoints (LIKE put_aside)")
        try:
            assert [facts(book_at(floor, symbol, sequence)) for sequence in asked] == from_kept
        finally:
            floor.run("DROP TABLE book_checkpoints")
            floor.run("ALTER TABLE put_aside RENAME TO book_checkpoints")


def test_far_from_any_kept_book_it_is_not_tried(floor, monkeypatch):
    monkeypatch.setattr(rebuilding, "MOST_COMMANDS", 3)
    symbol, buyer = floor.stock(), floor.broker()
    for _ in range(6):
        floor.bid(buyer, symbol, 1, 3_400)
    floor.match(symbol)
    assert len(book_at(floor, symbol, 4).book.orders) == 3
    with pytest.raises(TooFar):
        book_at(floor, symbol, 5)
    keep(floor, every=1)
    floor.bid(buyer, symbol, 1, 3_400)
    floor.match(symbol)
    assert len(book_at(floor, symbol, 7).book.orders) == 6


def test_a_journal_with_a_gap_is_not_carried_out(floor):
    symbol, buyer = floor.stock(), floor.broker()
    for _ in range(3):
        floor.bid(buyer, symbol, 1, 3_400)
    floor.match(symbol)
    moved = "UPDATE commands SET sequence = :to WHERE stock_id = :id AND sequence = :from"
    floor.run(moved, id=floor.symbols[symbol], **{"from": 2, "to": 20})
    with pytest.raises(BrokenHistory):
        book_at(floor, symbol, 3)
    floor.run(moved, id=floor.symbols[symbol], **{"from": 20, "to": 2})


def test_others_may_go_first_while_it_is_put_together(floor):
    symbol, buyer = floor.stock(), floor.broker()
    floor.place(*[floor.order(buyer, symbol, "bid", 1, 3_400) for _ in range(300)])
    floor.match(symbol)
    keep(floor, every=1)
    pauses = []
    floor.bid(buyer, symbol, 1, 3_400)
    floor.match(symbol)
    book_before(partial(transaction, floor.engine), stock_of(floor, symbol), 301, lambda: pauses.append(1))
    assert len(pauses) > 3


def test_an_order_says_since_when_it_has_its_place(floor):
    symbol, owner, other = floor.stock(), floor.broker(), floor.broker()
    waiting = floor.bid(owner, symbol, 20, 3_400)
    floor.match(symbol)
    since = floor.row(waiting).entered_at
    taken = floor.query("SELECT sequenced_at FROM commands WHERE order_id = :id", id=waiting)[0].sequenced_at
    assert since == taken
    floor.amend(owner, waiting, quantity=10)
    floor.match(symbol)
    assert floor.row(waiting).entered_at == since  # less keeps its place
    floor.amend(owner, waiting, quantity=30)
    floor.match(symbol)
    assert floor.row(waiting).entered_at > since
    assert floor.row(floor.bid(other, symbol, 1, 3_300)).entered_at is None  # it is not in the book yet
