"""Turns of a worker: what breaks one, what makes its books stale, and two workers on one stock."""

import threading
from datetime import UTC, datetime

import pytest

from database.session import transaction
from engine.book import Book
from engine.terms.orders import Order
from services.accounts.deposits import deposit
from services.matching.books import Books, rebuilt_books
from services.matching.inbox import take_inbox
from services.matching.match import Hooks, match_turn
from services.matching.poison import BrokenTurn, PoisonCommand
from services.order_entry.placing.place import place_orders
from services.settlement.balance_rows import MissingBalance
from services.settlement.fees import OrderFees
from services.settlement.trade_ids import TradeIds
from tests.services.stream import Stream


def test_a_turn_takes_no_more_than_its_limit_and_says_that_more_waits(floor):
    symbol, buyer = floor.stock(), floor.broker()
    orders = [floor.bid(buyer, symbol, 1, 3_500) for _ in range(5)]
    turns = [floor.match(symbol, limit=2) for _ in range(3)]
    assert [(turn.commands, turn.more) for turn in turns] == [(2, True), (2, True), (1, False)]
    assert [floor.row(order).sequence for order in orders] == [1, 2, 3, 4, 5]
    assert floor.match(symbol).commands == 0


def test_a_turn_over_several_stocks_numbers_each_by_itself(floor):
    stocks = [floor.stock() for _ in range(3)]
    seller, buyer = floor.broker(**dict.fromkeys(stocks, 100)), floor.broker()
    for symbol in stocks:
        floor.ask(seller, symbol, 10, 3_500)
        floor.bid(buyer, symbol, 10, 3_500)
    assert floor.match(*stocks).trades == 3
    rows = floor.query(
        "SELECT command_sequence, event_sequence, book_version FROM stocks WHERE symbol = ANY(:symbols)", symbols=stocks
    )
    assert [tuple(row) for row in rows] == [(2, 1, 1)] * 3


def test_a_batch_is_sequenced_in_order_of_arrival(floor):
    symbol = floor.stock()
    brokers = [floor.broker() for _ in range(12)]
    answers = floor.place(*(floor.order(broker, symbol, "bid", 1, 3_500) for broker in reversed(brokers)))
    floor.match(symbol)
    assert [floor.row(answer.order_id).sequence for answer in answers] == list(range(1, 13))


def test_a_stocks_time_never_goes_backward_whatever_the_clock_does(floor):
    symbol, buyer = floor.stock(), floor.broker()
    floor.bid(buyer, symbol, 1, 3_500)
    floor.match(symbol)
    stock = floor.symbols[symbol]
    with floor.engine.begin() as connection:
        for table, key, time in (
            ("stocks", "id", "sequenced_at"),
            ("commands", "stock_id", "sequenced_at"),
            ("orders", "stock_id", "entered_at"),
        ):
            later = f"UPDATE {table} SET {time} = {time} + interval '1 hour' WHERE {key} = %s"
            connection.exec_driver_sql(later, (stock,))
    floor.bid(buyer, symbol, 1, 3_500)
    floor.match(symbol)
    first, second = floor.query("SELECT sequenced_at AS at FROM commands WHERE stock_id = :id ORDER BY id", id=stock)
    assert second.at == first.at


def test_an_identity_that_commits_late_is_still_taken(floor):
    symbol, buyer = floor.stock(), floor.broker()
    late = floor.order(buyer, symbol, "bid", 1, 3_500)
    with transaction(floor.engine) as session:
        (answer,) = place_orders(lambda work: work(session), [late], {}, floor.market, datetime.now(UTC))
        other = floor.broker()
        early = floor.bid(other, symbol, 1, 3_500)
        floor.match(symbol)
    floor.match(symbol)
    assert answer.order_id < early
    assert (floor.row(early).sequence, floor.row(answer.order_id).sequence) == (1, 2)


@pytest.fixture
def poison(monkeypatch):
    """Makes the book break at every command of the document `poison`, after it has changed something."""
    apply = Book.apply

    def breaking(self, command, now):
        order = getattr(command, "order", None) or self.orders.get(getattr(command, "id", None))
        events = apply(self, command, now)
        if order is not None and order.account[1] == "poison":
            raise ZeroDivisionError("the engine broke")
        return events

    monkeypatch.setattr(Book, "apply", breaking)
    yield
    monkeypatch.setattr(Book, "apply", apply)


def take_turns(floor, symbol):
    """Match as the worker does: a broken turn is repeated one by one, and the culprit refused."""
    for limit in (100, *[1] * 10):
        culprit = None
        for _ in range(2):
            try:
                with transaction(floor.engine) as session:
                    turn = match_turn(session, [symbol], floor.books, limit, culprit)
            except BrokenTurn as broken:
                floor.books.forget_all()
                culprit = PoisonCommand(broken.command_ids[0], broken.__cause__) if limit == 1 else None
                if limit > 1:
                    break
            else:
                turn.committed(floor.books)
                break


def test_a_poison_order_is_refused_and_released_and_the_stock_goes_on(floor, poison):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    first = floor.ask(seller, symbol, 10, 3_500)
    bad = floor.bid(buyer, symbol, 20, 3_600, document_number="poison")
    good = floor.bid(buyer, symbol, 4, 3_600)
    take_turns(floor, symbol)
    assert floor.stands(bad) == ("rejected", 0, 0, 20)
    assert floor.row(bad).close_reason == "internal_error"
    assert floor.trades(symbol) == [(4, 3_500, good, first)]
    assert floor.cash(buyer)[1] == 0
    (command,) = floor.query("SELECT refused, error FROM commands WHERE order_id = :id", id=bad)
    assert command.refused == "internal_error"
    assert "the engine broke" in command.error


def test_money_beyond_a_bigint_breaks_only_the_order_that_would_bring_it(floor):
    symbol = floor.stock()
    full, buyer = floor.broker(**{symbol: 100}), floor.broker()
    more = 2**63 - 10_000 - floor.cash(full)[0]
    pay = "UPDATE balances SET available = available + :more WHERE broker_id = :id AND asset_id = 1"
    floor.run(pay, more=more, id=full)
    too_much = floor.ask(full, symbol, 3, 3_500)
    few, many = floor.bid(buyer, symbol, 2, 3_500), floor.bid(buyer, symbol, 1, 3_500, document_number="2")
    take_turns(floor, symbol)
    assert floor.stands(few) == ("filled", 2, 0, 0)
    assert floor.stands(many) == ("rejected", 0, 0, 1)
    assert floor.stands(too_much) == ("partially_filled", 2, 1, 0)
    assert floor.cash(full) == (2**63 - 3_000, 0)
    floor.run(pay, more=-more, id=full)


def test_a_poison_amendment_is_refused_and_released_and_the_order_stays(floor, monkeypatch):
    symbol, buyer = floor.stock(), floor.broker()
    bid = floor.bid(buyer, symbol, 10, 3_500)
    floor.match(symbol)
    floor.amend(buyer, bid, price=3_600)
    cancelled = floor.bid(buyer, symbol, 1, 3_500)
    floor.cancel(buyer, cancelled)

    def broken(*_):
        raise ZeroDivisionError("the engine broke")

    with monkeypatch.context() as patch:
        patch.setattr("engine.book.amend", broken)
        take_turns(floor, symbol)
    assert floor.refusals(bid) == [None, "internal_error"]
    assert (floor.row(bid).price, floor.cash(buyer)[1]) == (3_500, 35_000)
    assert floor.stands(cancelled)[0] == "cancelled"


def test_a_broken_turn_leaves_nothing_behind_and_names_its_commands(floor, poison):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.ask(seller, symbol, 10, 3_500)
    floor.bid(buyer, symbol, 10, 3_600, document_number="poison")
    with pytest.raises(BrokenTurn) as broken:
        floor.match(symbol)
    waiting = floor.query(
        "SELECT id FROM commands WHERE stock_id = :id AND sequence IS NULL ORDER BY id", id=floor.symbols[symbol]
    )
    assert broken.value.command_ids == [row.id for row in waiting]
    assert isinstance(broken.value.__cause__, ZeroDivisionError)
    floor.books.forget_all()
    take_turns(floor, symbol)


def test_a_book_is_rebuilt_only_when_another_worker_has_moved_it(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 1_000}), floor.broker()
    mine, other = Books(), Books()
    first = floor.ask(seller, symbol, 10, 3_500)
    floor.match(symbol, books=mine)
    second = floor.ask(seller, symbol, 10, 3_500)
    floor.match(symbol, books=mine)
    assert mine.rebuilds == 1
    floor.amend(seller, first, quantity=5)
    bid = floor.bid(buyer, symbol, 2, 3_500)
    floor.match(symbol, books=other)
    bid2 = floor.bid(buyer, symbol, 8, 3_500)
    floor.match(symbol, books=mine)
    assert (mine.rebuilds, other.rebuilds) == (2, 1)
    assert floor.trades(symbol) == [(2, 3_500, bid, first), (3, 3_500, bid2, first), (5, 3_500, bid2, second)]


def test_a_rebuilt_book_is_the_book_that_was(floor):
    stream = Stream(floor, seed=3)
    for _ in range(80):
        stream.step()
    books = Books()
    while floor.match(*stream.symbols, books=books).commands:
        pass
    for symbol in stream.symbols:
        floor.bid(stream.brokers[0], symbol, 5, 3_200 if symbol != stream.symbols[2] else 3_495)
    floor.match(*stream.symbols, books=books)
    rebuilds = books.rebuilds
    with transaction(floor.engine) as session:
        for stock in take_inbox(session, stream.symbols, 1, TradeIds())[0]:
            assert told(rebuilt_books(session, [stock])[stock.id]) == told(books.current(session, [stock])[stock.id])
    assert books.rebuilds == rebuilds


def told(book):
    """All that a book knows and that decides what it will do."""
    resting = [
        (
            *(getattr(order, name) for name in Order.__slots__ if name not in {"ahead", "behind", "fees", "level"}),
            *(getattr(order.fees, name, None) for name in OrderFees.__slots__),
        )
        for order in sorted(book.orders.values(), key=lambda order: order.priority)
    ]
    return resting, book.rules, book.reference, book.last_price, book.lowest, book.highest


def test_a_rolled_back_turn_is_repeated_as_if_it_had_not_been(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    ask = floor.ask(seller, symbol, 10, 3_500)
    floor.match(symbol)
    bid = floor.bid(buyer, symbol, 4, 3_500)

    def die():
        raise RuntimeError("the worker dies before it commits")

    with pytest.raises(RuntimeError), transaction(floor.engine) as session:
        match_turn(session, [symbol], floor.books, 10, hooks=Hooks(before_commit=die))
    assert floor.trades(symbol) == []
    floor.books.forget_all()
    floor.match(symbol)
    assert floor.trades(symbol) == [(4, 3_500, bid, ask)]
    assert floor.stands(ask) == ("partially_filled", 4, 6, 0)


def test_two_workers_on_one_stock_take_turns(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    ask, bid = floor.ask(seller, symbol, 10, 3_500), floor.bid(buyer, symbol, 4, 3_500)
    turns = []
    thread = threading.Thread(target=lambda: turns.append(floor.match(symbol, books=Books())))

    def come():
        thread.start()
        floor.until_somebody_waits()

    with transaction(floor.engine) as session:
        first = match_turn(session, [symbol], Books(), 10, hooks=Hooks(before_commit=come))
    thread.join()
    assert (first.commands, turns[0].commands) == (2, 0)
    assert floor.trades(symbol) == [(4, 3_500, bid, ask)]


def test_a_turn_that_waited_for_its_stock_sees_what_came_meanwhile_and_what_was_taken(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    early = floor.ask(seller, symbol, 10, 3_500)
    turns, late = [], []
    thread = threading.Thread(target=lambda: turns.append(floor.match(symbol, books=Books())))

    def come():
        thread.start()
        floor.until_somebody_waits()
        late.append(floor.bid(buyer, symbol, 4, 3_500))

    with transaction(floor.engine) as session:
        match_turn(session, [symbol], Books(), 10, hooks=Hooks(before_commit=come))
    thread.join()
    assert (turns[0].commands, turns[0].trades) == (1, 1)
    assert [floor.row(order).sequence for order in (early, *late)] == [1, 2]


def test_a_balance_taken_for_open_that_is_not_breaks_the_turn_instead_of_losing_shares(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.ask(seller, symbol, 10, 3_500)
    floor.bid(buyer, symbol, 10, 3_500)
    gone = "DELETE FROM balances WHERE broker_id = :buyer AND asset_id = :stock"
    floor.run(gone, buyer=buyer, stock=floor.symbols[symbol])
    floor.books.accounts.know({(buyer, floor.symbols[symbol]), (seller, 1)})
    with pytest.raises(BrokenTurn) as broken:
        floor.match(symbol)
    assert isinstance(broken.value.__cause__, MissingBalance)
    floor.books.forget_all()
    floor.match(symbol)
    assert floor.shares(buyer, symbol) == (10, 0)
    assert floor.books.accounts == {(buyer, floor.symbols[symbol]), (seller, 1)}


def test_shares_that_come_in_while_a_turn_settles_count_with_their_cost(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker(**{symbol: 30})
    floor.ask(seller, symbol, 10, 3_600)
    floor.bid(buyer, symbol, 10, 3_600)

    def bring():
        with transaction(floor.engine) as other:
            deposit(other, seller, floor.symbols[symbol], 100, cost=100 * 3_000)

    with transaction(floor.engine) as session:
        match_turn(session, [symbol], floor.books, 10, hooks=Hooks(before_commit=bring))
    assert floor.position(seller, symbol) == (190 * 3_250, 10 * (3_600 - 3_250))
    assert floor.position(buyer, symbol) == (30 * 3_500 + 10 * 3_600, 0)
    assert (floor.shares(seller, symbol), floor.shares(buyer, symbol)) == ((190, 0), (40, 0))


def test_shares_that_come_in_while_a_turn_waits_for_their_balance_count_with_their_cost(floor):
    """The turn's statement has read the balance as it was before, and works it out anew when it gets it."""
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker(**{symbol: 30})
    floor.ask(seller, symbol, 10, 3_600)
    floor.bid(buyer, symbol, 10, 3_600)
    brought = threading.Event()

    def bring():
        with transaction(floor.engine) as other:
            deposit(other, seller, floor.symbols[symbol], 100, cost=100 * 3_000)
            brought.set()
            floor.until_somebody_waits()

    thread = threading.Thread(target=bring)
    thread.start()
    brought.wait(10)
    floor.match(symbol)
    thread.join()
    assert floor.position(seller, symbol) == (190 * 3_250, 10 * (3_600 - 3_250))
    assert floor.shares(seller, symbol) == (190, 0)
    assert floor.findings() == []


def test_an_account_that_somebody_opens_with_shares_meanwhile_is_no_empty_one(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.ask(seller, symbol, 10, 3_600)
    floor.bid(buyer, symbol, 10, 3_600)

    def bring():
        with transaction(floor.engine) as other:
            deposit(other, buyer, floor.symbols[symbol], 10, cost=10 * 3_000)

    with transaction(floor.engine) as session:
        match_turn(session, [symbol], floor.books, 10, hooks=Hooks(before_commit=bring))
    assert floor.position(buyer, symbol) == (66_000, 0)


def test_cash_that_comes_in_while_a_turn_settles_is_simply_added(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(1_000, **{symbol: 100}), floor.broker(50_000)
    floor.ask(seller, symbol, 10, 3_600)
    floor.bid(buyer, symbol, 10, 3_600)

    def bring():
        with transaction(floor.engine) as other:
            deposit(other, seller, 1, 500)

    with transaction(floor.engine) as session:
        match_turn(session, [symbol], floor.books, 10, hooks=Hooks(before_commit=bring))
    assert (floor.cash(seller), floor.cash(buyer)) == ((37_500, 0), (14_000, 0))
