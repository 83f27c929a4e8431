"""Given an order that rests or waits, when it is amended, then its reservation moves with it, whatever fills first."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from database.pipeline import Pipeline
from database.session import transaction
from services.errors import (
    InsufficientFunds,
    InsufficientShares,
    MatchQueueTooDeep,
    NotYourOrder,
    OffTick,
    OrderClosed,
    PriceOutsideBand,
    StockHalted,
    UnknownOrder,
    ValidUntilInThePast,
)
from services.order_entry.changing.amend import amend_orders
from services.order_entry.changing.amendments import Amendment
from services.order_entry.errors import AmendmentWaiting, MarketOrderNotAmendable
from services.order_entry.order_needs import extra_need
from services.settlement.appended_rows import TAKE_COMMANDS
from services.settlement.order_rows import UPDATE_ORDERS
from tests.services.floor import MONEY


@pytest.mark.parametrize(
    ("asked", "reserved_at_once", "reserved_at_last"),
    [
        ({"price": 3_600}, 360_000, 360_000),
        ({"price": 3_400}, 350_000, 340_000),
        ({"quantity": 150}, 525_000, 525_000),
        ({"quantity": 40}, 350_000, 140_000),
        ({"price": 3_600, "quantity": 50}, 350_000, 180_000),
        ({"price": 3_400, "quantity": 200}, 690_000, 680_000),
        ({"price": 3_500, "quantity": 100}, 350_000, 350_000),
    ],
    ids=str,
)
def test_a_bids_cash_moves_with_its_amendment(floor, asked, reserved_at_once, reserved_at_last):
    symbol, buyer = floor.stock(), floor.broker()
    bid = floor.bid(buyer, symbol, 100, 3_500)
    floor.match(symbol)
    floor.amend(buyer, bid, **asked)
    assert floor.cash(buyer) == (MONEY - reserved_at_once, reserved_at_once)
    floor.match(symbol)
    assert floor.cash(buyer) == (MONEY - reserved_at_last, reserved_at_last)
    row = floor.row(bid)
    assert (row.price, row.quantity) == (asked.get("price", 3_500), asked.get("quantity", 100))


@pytest.mark.parametrize(("quantity", "at_once", "at_last"), [(150, 150, 150), (40, 100, 40)])
def test_an_asks_shares_move_with_its_amendment(floor, quantity, at_once, at_last):
    symbol = floor.stock()
    seller = floor.broker(**{symbol: 1_000})
    ask = floor.ask(seller, symbol, 100, 3_500)
    floor.match(symbol)
    floor.amend(seller, ask, quantity=quantity, price=3_600)
    assert floor.shares(seller, symbol) == (1_000 - at_once, at_once)
    floor.match(symbol)
    assert floor.shares(seller, symbol) == (1_000 - at_last, at_last)


@pytest.mark.parametrize("fill", [0, 1, 60, 99, 100])
@pytest.mark.parametrize(
    "asked", [{"price": 3_600}, {"price": 3_400, "quantity": 200}, {"quantity": 101}, {"quantity": 60}]
)
def test_what_fills_between_request_and_application_is_provided_for(floor, fill, asked):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 1_000}), floor.broker()
    bid = floor.bid(buyer, symbol, 100, 3_500)
    floor.match(symbol)
    if fill:
        floor.ask(seller, symbol, fill, 3_500)
    floor.amend(buyer, bid, **asked)
    floor.match(symbol)
    left = asked.get("quantity", 100) - fill
    if fill == 100:
        assert floor.refusals(bid) == [None, "unknown_order"]
        assert floor.stands(bid) == ("filled", 100, 0, 0)
    elif left <= 0:
        assert floor.stands(bid) == ("cancelled", fill, 0, 100 - fill)
    else:
        assert floor.stands(bid) == ("partially_filled" if fill else "open", fill, left, 0)
    price = asked.get("price", 3_500)
    assert floor.cash(buyer)[1] == (max(0, left) * price if fill < 100 else 0)


def test_the_extra_need_is_the_most_that_any_fill_before_it_can_bring():
    class Bid:
        side, quantity, remaining_quantity, maker_bps = "bid", 10, 7, None

    for old_price in range(1, 8):
        Bid.price = old_price
        for new_price in range(1, 8):
            for new_quantity in range(1, 16):
                needs = [max(0, left + new_quantity - 10) * new_price - left * old_price for left in range(1, 8)]
                most, needed = extra_need(Bid, new_price, new_quantity)
                assert most == needed >= max(needs)


def test_an_amendment_that_cannot_be_paid_for_is_refused_and_the_order_stays(floor):
    symbol, buyer = floor.stock(), floor.broker(350_000)
    bid = floor.bid(buyer, symbol, 100, 3_500)
    floor.match(symbol)
    before = floor.row(bid)
    for asked in ({"price": 3_501}, {"quantity": 101}):
        with pytest.raises(InsufficientFunds):
            floor.amend(buyer, bid, **asked)
    assert floor.row(bid) == before
    assert floor.cash(buyer) == (0, 350_000)
    assert floor.match(symbol).commands == 0


def test_an_ask_cannot_be_amended_to_more_than_is_there(floor):
    symbol = floor.stock()
    seller = floor.broker(**{symbol: 100})
    ask = floor.ask(seller, symbol, 100, 3_500)
    with pytest.raises(InsufficientShares):
        floor.amend(seller, ask, quantity=101)
    assert floor.shares(seller, symbol) == (0, 100)


def test_one_amendment_waits_at_a_time(floor):
    symbol, buyer = floor.stock(), floor.broker()
    bid = floor.bid(buyer, symbol, 100, 3_500)
    floor.amend(buyer, bid, price=3_600)
    with pytest.raises(AmendmentWaiting):
        floor.amend(buyer, bid, price=3_700)
    assert floor.cash(buyer)[1] == 360_000
    floor.match(symbol)
    floor.amend(buyer, bid, price=3_700)
    floor.match(symbol)
    assert floor.cash(buyer)[1] == 370_000


def test_a_pending_order_can_be_amended_and_keeps_its_turn(floor):
    symbol, buyer = floor.stock(), floor.broker()
    bid, later = floor.bid(buyer, symbol, 100, 3_500), floor.bid(buyer, symbol, 1, 3_500)
    floor.amend(buyer, bid, quantity=40)
    floor.match(symbol)
    assert floor.stands(bid) == ("open", 0, 40, 0)
    assert floor.row(bid).priority < floor.row(later).priority


def test_less_at_the_same_price_keeps_its_place_and_more_or_another_price_loses_it(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 1_000}), floor.broker()
    first, second = (floor.bid(buyer, symbol, 100, 3_500, document_number=str(n)) for n in range(2))
    floor.amend(buyer, first, quantity=50)
    floor.match(symbol)
    ask = floor.ask(seller, symbol, 10, 3_500)
    floor.match(symbol)
    floor.amend(buyer, first, quantity=60)
    floor.match(symbol)
    other = floor.ask(seller, symbol, 10, 3_500)
    floor.match(symbol)
    assert floor.trades(symbol) == [(10, 3_500, first, ask), (10, 3_500, second, other)]


def test_an_amended_price_that_meets_the_other_side_trades_at_once(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 1_000}), floor.broker()
    ask, bid = floor.ask(seller, symbol, 100, 3_550), floor.bid(buyer, symbol, 100, 3_500)
    floor.match(symbol)
    floor.amend(buyer, bid, price=3_600, quantity=120)
    floor.match(symbol)
    assert floor.trades(symbol) == [(100, 3_550, bid, ask)]
    assert floor.cash(buyer) == (MONEY - 355_000 - 72_000, 72_000)
    assert floor.cash(seller)[0] == MONEY + 355_000


def test_a_total_that_is_already_filled_cancels_the_rest(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 1_000}), floor.broker()
    bid = floor.bid(buyer, symbol, 100, 3_500)
    floor.ask(seller, symbol, 60, 3_500)
    floor.match(symbol)
    floor.amend(buyer, bid, quantity=60)
    floor.match(symbol)
    assert floor.stands(bid) == ("cancelled", 60, 0, 40)
    assert floor.cash(buyer) == (MONEY - 60 * 3_500, 0)


def test_an_expiry_can_be_set_and_taken_away(floor):
    symbol, buyer = floor.stock(), floor.broker()
    bid = floor.bid(buyer, symbol, 100, 3_500)
    until = datetime.now(UTC) + timedelta(hours=1)
    floor.amend(buyer, bid, valid_until=until)
    floor.match(symbol)
    assert (floor.row(bid).valid_until, floor.row(bid).time_in_force) == (until, "gtd")
    floor.amend(buyer, bid, valid_until=None)
    floor.match(symbol)
    assert (floor.row(bid).valid_until, floor.row(bid).time_in_force) == (None, "gtc")


def test_an_amendment_after_a_cancel_changes_nothing_and_gives_back_what_it_set_aside(floor):
    symbol, buyer = floor.stock(), floor.broker()
    bid = floor.bid(buyer, symbol, 100, 3_500)
    floor.match(symbol)
    floor.cancel(buyer, bid)
    floor.amend(buyer, bid, price=3_600)
    floor.match(symbol)
    assert floor.refusals(bid) == [None, None, "unknown_order"]
    assert floor.cash(buyer) == (MONEY, 0)


def test_the_engine_refuses_what_entry_could_not_know_and_the_order_stays(floor):
    symbol = floor.stock(reference=None)
    seller, buyer = floor.broker(**{symbol: 1_000}), floor.broker()
    bid = floor.bid(buyer, symbol, 100, 1_000)
    floor.ask(seller, symbol, 1, 3_500)
    floor.match(symbol)
    floor.amend(buyer, bid, price=2_000)
    floor.bid(buyer, symbol, 1, 3_500)
    with floor.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE commands SET id = -id WHERE kind = 'new' AND sequence IS NULL AND stock_id = %s",
            (floor.symbols[symbol],),
        )
    floor.match(symbol)
    assert floor.refusals(bid) == [None, "price_outside_band"]
    assert (floor.row(bid).price, floor.cash(buyer)[1]) == (1_000, 100_000)


def test_too_little_set_aside_is_refused_before_the_engine_sees_it(floor):
    symbol, buyer = floor.stock(), floor.broker()
    bid = floor.bid(buyer, symbol, 100, 3_500)
    floor.match(symbol)
    with floor.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO commands (stock_id, kind, order_id, broker_id, payload)"
            " SELECT stock_id, 'amend', id, broker_id, %s FROM orders WHERE id = %s",
            ('{"price": 3600, "quantity": 100}', bid),
        )
    floor.match(symbol)
    assert floor.refusals(bid) == [None, "insufficient_reservation"]
    assert (floor.row(bid).price, floor.cash(buyer)[1]) == (3_500, 350_000)


def test_who_may_not_amend_what(floor):
    symbol = floor.stock(tick_size=5)
    buyer, other = floor.broker(), floor.broker()
    bid, market = floor.bid(buyer, symbol, 100, 3_500), floor.bid(buyer, symbol, 100)
    closed = floor.bid(buyer, symbol, 1, 3_500, time_in_force="ioc")
    with pytest.raises(MarketOrderNotAmendable):
        floor.amend(buyer, market, quantity=1)
    floor.match(symbol)
    for order, broker, asked, refusal in (
        (0, buyer, {}, UnknownOrder),
        (bid, other, {"price": 3_600}, NotYourOrder),
        (closed, buyer, {"price": 3_600}, OrderClosed),
        (bid, buyer, {"price": 3_601}, OffTick),
        (bid, buyer, {"price": 4_000}, PriceOutsideBand),
        (bid, buyer, {"valid_until": datetime.now(UTC)}, ValidUntilInThePast),
    ):
        with pytest.raises(refusal):
            floor.amend(broker, order, **asked)
    floor.put_into(symbol, "halted")
    with pytest.raises(StockHalted):
        floor.amend(buyer, bid, price=3_600)


def test_an_amendment_and_the_turn_that_applies_the_last_one_do_not_wait_for_each_other(floor, monkeypatch):
    """The turn takes the first amendment while the second one's asked is under way, at the worst moment."""
    symbol, buyer = floor.stock(), floor.broker()
    bid = floor.bid(buyer, symbol, 100, 3_500)
    floor.match(symbol)
    floor.amend(buyer, bid, price=3_550)
    started, answers = threading.Event(), []

    def amend_again():
        started.wait(10)
        with transaction(floor.engine) as session:
            asked = Amendment(buyer, bid, price=3_600)
            (answer,) = amend_orders(session, [asked], floor.market, datetime.now(UTC))
            answers.append("waiting" if isinstance(answer, AmendmentWaiting) else "accepted")

    send = Pipeline.send

    def slowly(self, statement, *values):
        answer = send(self, statement, *values)
        if statement in {UPDATE_ORDERS, TAKE_COMMANDS} and not started.is_set():
            self._pgconn.send_flush_request()
            self._pgconn.flush()
            started.set()
            floor.until_somebody_waits()
        return answer

    monkeypatch.setattr(Pipeline, "send", slowly)
    thread = threading.Thread(target=amend_again)
    thread.start()
    floor.match(symbol)
    thread.join()
    assert answers == ["accepted"]
    floor.match(symbol)
    assert floor.row(bid).price == 3_600


def test_each_of_a_batch_has_its_own_answer(floor):
    """Four amendments at once: two of one order, one that nobody could pay for, one of somebody else's order."""
    symbol, buyer, other = floor.stock(), floor.broker(cash=1_000_000), floor.broker()
    first, second, foreign = (floor.bid(owner, symbol, 100, 3_500) for owner in (buyer, buyer, other))
    floor.match(symbol)
    requests = [
        Amendment(buyer, first, quantity=110),
        Amendment(buyer, first, quantity=120),
        Amendment(buyer, second, quantity=1_000),
        Amendment(buyer, foreign, quantity=110),
        Amendment(buyer, 2**53, quantity=110),
    ]
    with transaction(floor.engine) as session:
        answers = amend_orders(session, requests, floor.market, datetime.now(UTC))
    assert [type(answer) for answer in answers[1:]] == [AmendmentWaiting, InsufficientFunds, NotYourOrder, UnknownOrder]
    assert answers[2].facts == {"required": 900 * 3_500}
    floor.match(symbol)
    assert [floor.row(order).quantity for order in (first, second, foreign)] == [110, 100, 100]
    assert floor.findings() == []


def test_a_group_that_takes_nothing_new_is_asked_before_anything_is_set_aside(floor):
    symbol, buyer = floor.stock(), floor.broker()
    bid = floor.bid(buyer, symbol, 100, 3_500)
    requests = [Amendment(buyer, bid, quantity=110)]
    with transaction(floor.engine) as session:
        answers = amend_orders(session, requests, floor.market, datetime.now(UTC), lambda group: MatchQueueTooDeep())
    assert isinstance(answers[0], MatchQueueTooDeep)
    assert floor.query("SELECT count(*) FROM commands WHERE order_id = :id AND kind = 'amend'", id=bid) == [(0,)]
