"""A turn from beginning to end, and what one bad command may and may not do to it."""

import os
import signal
import time

import pytest
from sqlalchemy.exc import DBAPIError

from database.errors import is_passing
from database.session import transaction
from engine.book import Book
from services.accounts.deposits import deposit

POISON = "666"


@pytest.fixture
def poisoned(monkeypatch):
    """An engine that breaks on every order of one document."""
    apply = Book.apply

    def breaking(self, command, now):
        order = getattr(command, "order", None)
        if order is not None and order.account[1] == POISON:
            raise RuntimeError("the engine broke")
        return apply(self, command, now)

    monkeypatch.setattr(Book, "apply", breaking)


def test_one_turn_matches_every_stock_that_waits(exchange):
    stocks = [exchange.list("ONE1"), exchange.list("ONE2")]
    orders = [exchange.place(stock, side, 1000, document=side) for stock in stocks for side in ("ask", "bid")]
    assert exchange.matcher().run_once(stocks) is False
    assert exchange.statuses(*orders) == ["filled"] * 4


def test_a_turn_that_reaches_its_limit_says_that_there_is_more(exchange):
    stock = exchange.list("MORE1")
    matcher = exchange.matcher()
    matcher.turn_limit = 2
    orders = [exchange.place(stock, "bid", 1000) for _ in range(3)]
    assert matcher.run_once([stock]) is True
    assert exchange.statuses(*orders) == ["open", "open", "pending"]
    assert matcher.run_once([stock]) is False


def test_a_turn_that_was_lost_because_it_took_long_is_given_the_time(exchange, monkeypatch):
    """Else one order that sweeps through very many others would stop its whole group for ever."""
    stock = exchange.list("LONG1")
    order = exchange.place(stock, "bid", 1000)
    matcher = exchange.matcher(idle_in_transaction_ms=300)
    apply = Book.apply

    def slow(self, command, now):
        time.sleep(0.6)
        return apply(self, command, now)

    with monkeypatch.context() as patched:
        patched.setattr(Book, "apply", slow)
        with pytest.raises(DBAPIError) as lost:
            matcher.run_once([stock])
        assert is_passing(lost.value)
        assert exchange.statuses(order) == ["pending"]
        matcher.run_once([stock])
    assert exchange.statuses(order) == ["open"]
    exchange.place(stock, "bid", 1000)
    with monkeypatch.context() as patched, pytest.raises(DBAPIError):
        patched.setattr(Book, "apply", slow)  # a worker that hangs still loses its transaction
        matcher.run_once([stock])


def test_a_command_that_breaks_the_engine_is_refused_alone(exchange, poisoned):
    stock, other = exchange.list("POISON1"), exchange.list("POISON2")
    before, bad = exchange.place(stock, "bid", 1000), exchange.place(stock, "bid", 1000, document=POISON)
    after, elsewhere = exchange.place(stock, "bid", 1000), exchange.place(other, "bid", 1000)
    matcher = exchange.matcher()
    while matcher.run_once([stock, other]):
        continue
    assert exchange.statuses(before, bad, after, elsewhere) == ["open", "rejected", "open", "open"]
    ((refused, error),) = exchange.rows("SELECT refused, error FROM commands WHERE order_id = :id", id=bad)
    assert refused == "internal_error"
    assert "RuntimeError: the engine broke" in error
    ((reserved,),) = exchange.rows(
        "SELECT sum(CASE WHEN kind = 'reserve' THEN amount ELSE -amount END) FROM transfers WHERE order_id = :id",
        id=bad,
    )
    assert reserved == 0


def test_a_worker_that_lost_its_turn_matches_nothing_twice(exchange):
    stock = exchange.list("TWICE1")
    ask = exchange.place(stock, "ask", 1000, document="a")
    slow, fast = exchange.matcher(), exchange.matcher()
    slow.run_once([stock])
    exchange.place(stock, "bid", 1000, document="b")
    fast.run_once([stock])
    late = exchange.place(stock, "bid", 1000, document="c")
    slow.run_once([stock])
    assert exchange.statuses(ask, late) == ["filled", "open"]
    assert exchange.rows("SELECT count(*) FROM trades WHERE sell_order_id = :id", id=ask) == [(1,)]


def test_a_worker_that_hangs_in_its_transaction_loses_it(exchange, monkeypatch):
    stock = exchange.list("HANG1")
    order = exchange.place(stock, "bid", 1000)
    zombie, other = exchange.matcher(idle_in_transaction_ms=300), exchange.matcher()

    def hang(point):
        if point == "before_commit":
            monkeypatch.undo()
            time.sleep(0.4)
            other.run_once([stock])

    monkeypatch.setattr("workers.matcher.reach", hang)
    with pytest.raises(DBAPIError) as refused:
        zombie.run_once([stock])
    assert is_passing(refused.value)
    assert exchange.statuses(order) == ["open"]
    assert exchange.rows("SELECT sequence FROM commands WHERE order_id = :id", id=order) == [(1,)]
    later = exchange.place(stock, "ask", 1000, document="z")
    assert zombie.run_once([stock]) is False
    assert exchange.statuses(order, later) == ["filled", "filled"]


@pytest.mark.parametrize("point", ["between two turns", "with the balances locked"])
def test_a_worker_gives_up_a_server_process_that_hangs(exchange, monkeypatch, point):
    monkeypatch.setattr("services.matching.match.ANSWER_SECONDS", 0.5)
    stock = exchange.list(f"STOPPED{len(point)}")
    matcher = exchange.matcher()
    order = exchange.place(stock, "bid", 1000)
    matcher.run_once([stock])
    later = exchange.place(stock, "bid", 1000)
    with matcher.engine.connect() as connection:
        pid = connection.connection.driver_connection.info.backend_pid

    def stop(reached="before_commit"):
        if reached == "before_commit":
            monkeypatch.setattr("workers.matcher.reach", lambda _: None)
            os.kill(pid, signal.SIGSTOP)

    if point == "between two turns":
        stop()
    else:
        monkeypatch.setattr("workers.matcher.reach", stop)
    try:
        with pytest.raises(DBAPIError) as lost:
            matcher.run_once([stock])
        assert is_passing(lost.value)
        if point == "between two turns":
            matcher.run_once([stock])
            assert exchange.statuses(later) == ["open"]
    finally:
        os.kill(pid, signal.SIGCONT)
    matcher.run_once([stock])
    assert exchange.statuses(order, later) == ["open", "open"]
    assert exchange.rows("SELECT count(*) FROM commands WHERE order_id = :id AND sequence IS NOT NULL", id=later) == [
        (1,)
    ]


def bringing_shares(exchange, monkeypatch, stock, times):
    """Somebody brings a share at a cost of 7 cents before each of the first `times` commits; how many turns began."""
    ((stock_id,),) = exchange.rows("SELECT id FROM stocks WHERE symbol = :symbol", symbol=stock)
    began = []

    def bring(point):
        if point == "before_commit":
            began.append(point)
            if len(began) <= times:
                with transaction(exchange.engine) as session:
                    deposit(session, exchange.broker_id, stock_id, 1, cost=7)

    monkeypatch.setattr("workers.matcher.reach", bring)
    return began


def test_a_deposit_of_shares_amid_a_turn_counts_with_its_cost(exchange, monkeypatch):
    stock = exchange.list("DEPOSIT1")
    orders = exchange.place(stock, "ask", 1000, document="a"), exchange.place(stock, "bid", 1000, document="b")
    began = bringing_shares(exchange, monkeypatch, stock, times=1)
    assert exchange.matcher().run_once([stock]) is False
    assert (len(began), exchange.statuses(*orders)) == (1, ["filled", "filled"])
    balance = "SELECT available, cost FROM balances b JOIN stocks s ON s.id = b.asset_id WHERE s.symbol = :symbol"
    assert exchange.rows(balance, symbol=stock) == [(1, 100_007 - 100_007 * 100 // 101)]


def test_a_turn_that_cannot_be_told_is_settled_all_the_same(exchange, monkeypatch, caplog):
    stock = exchange.list("MUTE1")
    matcher = exchange.matcher()
    order = exchange.place(stock, "bid", 1000)
    with monkeypatch.context() as patch:
        patch.setattr("services.matching.turn.turn_messages", lambda *_: 1 / 0)
        assert matcher.run_once([stock]) is False
    assert "settled but could not be told" in caplog.text
    later = exchange.place(stock, "ask", 1000, document="2")
    matcher.run_once([stock])
    assert exchange.statuses(order, later) == ["filled", "filled"]
