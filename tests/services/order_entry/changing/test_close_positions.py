"""Given a position, when it is closed, then it is gone in one step, whatever one's own orders hold of it."""

import pytest
from sqlalchemy import event

from database.session import transaction
from models import CASH
from services.accounts.deposits import deposit
from services.errors import BrokerSuspended, MarketError, OffLot, StockClosed, StockHalted
from services.identity.suspension import suspend
from services.order_entry.errors import NoPosition
from tests.services.floor import MONEY


@pytest.fixture
def desk(floor):
    """A stock at 1000, a holder of 100 shares, and a maker on both sides."""
    symbol = floor.stock(reference=1_000)
    holder, maker = floor.broker(**{symbol: 100}), floor.broker(**{symbol: 10_000})
    return symbol, holder, maker


def held(floor, broker, symbol):
    available, reserved = floor.shares(broker, symbol)
    return available + reserved, reserved


def closed(floor, broker, symbol):
    """Ask, and have it done; the order's row."""
    order_id = floor.close(broker, symbol)[symbol].order_id
    floor.match(symbol)
    return floor.row(order_id)


def test_ones_own_orders_go_first_and_all_is_sold_in_one_step(floor, desk):
    symbol, holder, maker = desk
    floor.bid(maker, symbol, 500, 999)
    own = [floor.ask(holder, symbol, 60, 1_010), floor.ask(holder, symbol, 10, None, stop_price=950)]
    floor.match(symbol)
    order = closed(floor, holder, symbol)
    assert (order.status, order.side, order.quantity, order.filled_quantity) == ("filled", "ask", 100, 100)
    assert [floor.row(order_id).status for order_id in own] == ["cancelled", "cancelled"]
    assert held(floor, holder, symbol) == (0, 0)
    assert floor.cash(holder) == (MONEY + 100 * 999, 0)
    assert {row.kind for row in floor.query("SELECT kind FROM commands WHERE order_id = :id", id=order.id)} == {"close"}


def test_orders_that_wait_for_the_book_before_it_go_too(floor, desk):
    symbol, holder, maker = desk
    floor.bid(maker, symbol, 500, 999)
    own = floor.ask(holder, symbol, 60, 1_010)
    order = closed(floor, holder, symbol)
    assert (order.filled_quantity, floor.row(own).status) == (100, "cancelled")


def test_twice_at_once_sells_once(floor, desk):
    symbol, holder, maker = desk
    floor.bid(maker, symbol, 500, 999)
    floor.match(symbol)
    first, second = (floor.close(holder, symbol)[symbol].order_id for _ in range(2))
    floor.match(symbol)
    assert floor.stands(first) == ("filled", 100, 0, 0)
    assert floor.stands(second) == ("rejected", 0, 0, 100)
    assert floor.row(second).close_reason == "no_position"
    assert held(floor, holder, symbol) == (0, 0)


def test_what_fills_before_its_turn_is_not_sold_twice(floor, desk):
    symbol, holder, maker = desk
    floor.ask(holder, symbol, 60, 1_000)
    floor.match(symbol)
    floor.bid(maker, symbol, 50, 1_000)
    floor.bid(maker, symbol, 500, 990)
    order = closed(floor, holder, symbol)
    assert (order.quantity, order.filled_quantity, order.filled_notional) == (50, 50, 50 * 990)
    assert held(floor, holder, symbol) == (0, 0)


def test_what_is_bought_before_its_turn_stays_unless_it_was_there_to_set_aside(floor, desk):
    symbol, holder, maker = desk
    floor.bid(holder, symbol, 30, 1_000)
    floor.ask(maker, symbol, 30, 1_000)
    floor.bid(maker, symbol, 500, 990)
    order = closed(floor, holder, symbol)
    assert order.filled_quantity == 100
    assert held(floor, holder, symbol) == (30, 0)


def test_nobody_buys_only_what_somebody_wants(floor, desk):
    """A market order: what is left of it expires, and one's own orders are gone."""
    symbol, holder, maker = desk
    floor.bid(maker, symbol, 40, 999)
    floor.ask(holder, symbol, 60, 1_010)
    floor.match(symbol)
    order = closed(floor, holder, symbol)
    assert (order.status, order.filled_quantity, order.cancelled_quantity) == ("expired", 40, 60)
    assert held(floor, holder, symbol) == (60, 0)


def test_who_closes_does_not_trade_with_himself(floor, desk):
    symbol, holder, maker = desk
    own = floor.bid(holder, symbol, 10, 1_001)
    floor.bid(maker, symbol, 500, 999)
    floor.match(symbol)
    assert closed(floor, holder, symbol).filled_quantity == 100
    assert floor.row(own).status == "cancelled"
    assert held(floor, holder, symbol) == (0, 0)


def test_several_customers_of_a_broker_are_strangers_to_each_other(floor, desk):
    symbol, holder, maker = desk
    floor.bid(holder, symbol, 10, 980, document_number="1")
    floor.bid(holder, symbol, 10, 981, document_number="2")
    floor.bid(maker, symbol, 500, 999)
    floor.match(symbol)
    assert closed(floor, holder, symbol).document_number == str(holder)


class TestShort:
    @pytest.fixture
    def short(self, floor):
        """Sold 100 short at 1000; there are 500 offered at 1010."""
        symbol = floor.stock(reference=1_000)
        seller, maker = floor.broker(0, short_limit=1_000), floor.broker(**{symbol: 10_000})
        floor.bid(maker, symbol, 100, 1_000)
        floor.ask(seller, symbol, 100, 1_000)
        floor.ask(maker, symbol, 500, 1_010)
        floor.match(symbol)
        return symbol, seller, maker

    def test_a_short_is_bought_back_as_far_as_there_is_money(self, floor, short):
        """100,000 came in; the protection is 106,100."""
        symbol, seller, _ = short
        order = closed(floor, seller, symbol)
        assert (order.side, order.status, order.close_reason) == ("bid", "rejected", "insufficient_funds")
        assert floor.cash(seller) == (100_000, 0)
        with transaction(floor.engine) as session:
            deposit(session, seller, CASH, 20_000)
        assert closed(floor, seller, symbol).filled_quantity == 100
        assert held(floor, seller, symbol) == (0, 0)
        assert floor.cash(seller) == (120_000 - 101_000, 0)

    def test_its_own_bids_free_the_money_for_it_with_fees(self, floor, short):
        symbol, seller, _ = short
        floor.charge(seller, 10, 20)
        own = floor.bid(seller, symbol, 60, 1_005)
        floor.match(symbol)
        before = floor.cash(seller)
        assert before[1] > 60_000
        order = closed(floor, seller, symbol)
        assert (order.close_reason, floor.row(own).status) == ("insufficient_funds", "cancelled")
        assert floor.cash(seller) == (100_000, 0)

    def test_what_was_covered_meanwhile_is_not_bought_twice(self, floor, short):
        symbol, seller, _ = short
        with transaction(floor.engine) as session:
            deposit(session, seller, CASH, 1_000_000)
        floor.bid(seller, symbol, 70, 1_010)
        order = closed(floor, seller, symbol)
        assert (order.quantity, order.filled_quantity) == (30, 30)
        assert held(floor, seller, symbol) == (0, 0)


class TestRefused:
    @pytest.mark.parametrize(
        ("state", "refusal"), [("halted", StockHalted), ("closed", StockClosed), ("pre_open", StockClosed)]
    )
    def test_where_it_cannot_trade_nothing_changes(self, floor, desk, state, refusal):
        symbol, holder, _ = desk
        own = floor.ask(holder, symbol, 60, 1_010)
        floor.match(symbol)
        floor.put_into(symbol, state)
        answer = floor.close(holder, symbol)[symbol]
        assert isinstance(answer, refusal)
        assert answer.facts["state"] == state
        assert floor.row(own).status == "open"
        assert held(floor, holder, symbol) == (100, 60)

    @pytest.mark.parametrize("state", ["halted", "closed", "pre_open"])
    def test_nor_does_it_where_the_state_came_first(self, floor, desk, state):
        symbol, holder, _ = desk
        own = floor.ask(holder, symbol, 60, 1_010)
        floor.match(symbol)
        floor.change(symbol, "state", state)
        order_id = floor.close(holder, symbol)[symbol].order_id
        floor.match(symbol)
        code = "stock_halted" if state == "halted" else "stock_closed"
        assert (floor.row(order_id).status, floor.row(order_id).close_reason) == ("rejected", code)
        assert floor.row(own).status == "open"
        assert held(floor, holder, symbol) == (100, 60)

    def test_without_a_position_there_is_nothing_to_close(self, floor, desk):
        symbol, _, _ = desk
        nobody = floor.broker()
        with pytest.raises(NoPosition):
            floor.close(nobody, symbol)
        assert floor.close(nobody) == {}

    def test_less_than_a_lot_stays(self, floor):
        symbol = floor.stock(reference=1_000, lot_size=100)
        holder, maker = floor.broker(**{symbol: 250}), floor.broker()
        floor.bid(maker, symbol, 1_000, 1_000)
        assert closed(floor, holder, symbol).filled_quantity == 200
        assert isinstance(floor.close(holder, symbol)[symbol], OffLot)

    def test_the_suspended_close_nothing(self, floor, desk):
        symbol, holder, _ = desk
        with transaction(floor.engine) as session:
            suspend(session, holder)
        with pytest.raises(BrokerSuspended):
            floor.close(holder, symbol)


def test_all_positions_at_once_each_with_its_own_answer(floor):
    symbols = [floor.stock(reference=1_000) for _ in range(3)]
    holder, maker = floor.broker(**dict.fromkeys(symbols, 50)), floor.broker()
    for symbol in symbols:
        floor.bid(maker, symbol, 100, 990)
    floor.match(*symbols)
    floor.put_into(symbols[1], "halted")
    answers = floor.close(holder)
    floor.match(*symbols)
    assert list(answers) == symbols
    assert [isinstance(answer, MarketError) for answer in answers.values()] == [False, True, False]
    assert [held(floor, holder, symbol)[0] for symbol in symbols] == [0, 50, 0]
    assert floor.cash(holder) == (MONEY + 2 * 50 * 990, 0)


def test_in_an_auction_it_waits_for_its_end(floor, desk):
    symbol, holder, maker = desk
    floor.bid(maker, symbol, 500, 1_000)
    floor.match(symbol)
    floor.put_into(symbol, "auction")
    order = closed(floor, holder, symbol)
    assert (order.status, order.remaining_quantity) == ("open", 100)
    floor.change(symbol, "state", "open")
    floor.match(symbol)
    assert floor.stands(order.id) == ("filled", 100, 0, 0)


def test_all_that_a_turn_closes_is_looked_up_at_once(floor):
    symbols = [floor.stock(reference=1_000) for _ in range(3)]
    holders, maker = [floor.broker(**dict.fromkeys(symbols, 10)) for _ in range(3)], floor.broker()
    for symbol in symbols:
        floor.bid(maker, symbol, 25, 990)
    floor.match(*symbols)
    for holder in holders:
        floor.close(holder)
    asked = []

    def note(_connection, _cursor, statement, *_):
        asked.append("AS held" in statement)

    event.listen(floor.engine, "before_cursor_execute", note)
    try:
        assert floor.match(*symbols).commands == 9
    finally:
        event.remove(floor.engine, "before_cursor_execute", note)
    assert sum(asked) == 1
    left = [held(floor, holder, symbol)[0] for holder in holders for symbol in symbols]
    assert left == [0] * 6 + [5] * 3
