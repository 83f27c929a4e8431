"""A bust gives everybody back what the trade had brought, as if it had never been."""

from datetime import UTC, datetime

import pytest

from database.session import transaction
from services.accounts.deposits import withdraw
from services.accounts.equity import read_equity
from services.accounts.errors import UnknownTrade
from services.clearing.errors import AlreadyBusted
from tests.services.clearing.desk import Desk
from tests.services.floor import MONEY


@pytest.fixture
def desk(floor):
    return Desk(floor)


def test_money_shares_and_costs_are_as_before(floor, desk):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    before = floor.position(seller, symbol)
    trade = desk.trade(seller, buyer, symbol, 40, 3_510)
    assert desk.bust(trade) == "done"
    assert floor.cash(buyer) == floor.cash(seller) == (MONEY, 0)
    assert (floor.shares(seller, symbol), floor.shares(buyer, symbol)) == ((100, 0), (0, 0))
    assert (floor.position(seller, symbol), floor.position(buyer, symbol)) == (before, (0, 0))
    assert desk.last_price(symbol) is None
    (row,) = floor.query("SELECT busted_at IS NOT NULL AS busted, price FROM trades WHERE id = :id", id=trade)
    assert (row.busted, row.price) == (True, 3_510)


def test_the_last_price_is_that_of_the_last_trade_that_stands(floor, desk):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    first, second, third = (desk.trade(seller, buyer, symbol, 1, price) for price in (3_500, 3_520, 3_540))
    assert desk.bust(second) == "done"
    assert desk.last_price(symbol) == 3_540
    assert desk.bust(third) == "done"
    assert desk.last_price(symbol) == 3_500
    assert desk.bust(first) == "done"
    assert desk.last_price(symbol) is None


def test_busts_that_follow_each_other_are_one_turn(floor, desk):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    trades = [desk.trade(seller, buyer, symbol, 1, 3_500 + n) for n in range(5)]
    busts = [desk.ask(trade).bust_id for trade in (trades[4], trades[2], trades[3])]
    floor.bid(buyer, symbol, 1, 3_400)
    turn = desk.turn()
    assert (turn.commands, turn.more) == (3, True)
    assert [desk.row(bust).last_price for bust in busts] == [3_503, 3_503, 3_501]
    assert desk.turn().commands == 1


def test_fees_come_back_and_stay_in_what_the_order_has_traded(floor, desk):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.charge(seller, 7, 7)
    floor.charge(buyer, 10, 10)
    first = desk.trade(seller, buyer, symbol, 3, 3_333)
    assert floor.cash(buyer)[0] == MONEY - 9_999 - 10
    assert desk.bust(first) == "done"
    assert floor.cash(buyer) == floor.cash(seller) == (MONEY, 0)
    (fees,) = floor.query("SELECT sum(available) AS cents FROM balances WHERE broker_id < 0")
    assert fees.cents == 0


def test_an_adjusted_trade_stands_at_another_price(floor, desk):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    trade = desk.trade(seller, buyer, symbol, 10, 3_600)
    assert desk.bust(trade, new_price=3_500) == "done"
    assert floor.cash(buyer) == (MONEY - 35_000, 0)
    assert floor.cash(seller) == (MONEY + 35_000, 0)
    assert floor.position(buyer, symbol) == (35_000, 0)
    assert desk.last_price(symbol) == 3_500
    assert floor.trades(symbol)[0][1] == 3_600
    with pytest.raises(AlreadyBusted):
        desk.ask(trade)


def test_what_was_bought_and_sold_later_is_worked_out_again(floor, desk):
    """Bought 10 at 3,000 and, by the busted trade, 10 at 3,600; sold 5: they had cost 3,000 each, not 3,300."""
    symbol = floor.stock(reference=3_300)
    seller, buyer, other = floor.broker(**{symbol: 100}), floor.broker(), floor.broker()
    desk.trade(seller, buyer, symbol, 10, 3_000)
    wrong = desk.trade(seller, buyer, symbol, 10, 3_600)
    desk.trade(buyer, other, symbol, 5, 3_400)
    assert floor.position(buyer, symbol) == (49_500, 500)
    assert desk.bust(wrong) == "done"
    assert floor.position(buyer, symbol) == (15_000, 2_000)
    assert floor.shares(buyer, symbol) == (5, 0)


def test_nothing_can_be_busted_twice_and_nothing_that_never_was(floor, desk):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    trade = desk.trade(seller, buyer, symbol, 1, 3_500)
    assert desk.bust(trade) == "done"
    with pytest.raises(AlreadyBusted) as refused:
        desk.ask(trade)
    assert refused.value.facts["status"] == "done"
    with pytest.raises(UnknownTrade):
        desk.ask(10**9)


def test_a_band_that_follows_the_last_price_follows_it_back(floor, desk):
    symbol = floor.stock(reference=None, band_reference="last")
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    desk.trade(seller, buyer, symbol, 1, 3_000)
    wrong = desk.trade(seller, buyer, symbol, 1, 3_300)
    assert floor.rules(symbol)[symbol].reference_price == 3_300
    assert desk.bust(wrong) == "done"
    assert floor.rules(symbol)[symbol].reference_price == 3_000


def test_a_bust_elects_no_stop(floor, desk):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    desk.trade(seller, buyer, symbol, 1, 3_400)
    wrong = desk.trade(seller, buyer, symbol, 1, 3_600)
    stop = floor.ask(seller, symbol, 5, None, stop_price=3_500)
    floor.match(symbol)
    assert desk.bust(wrong) == "done"
    floor.bid(buyer, symbol, 1, 3_300)
    floor.match(symbol)
    assert (desk.last_price(symbol), floor.row(stop).status) == (3_400, "untriggered")


def test_a_trade_with_oneself_moves_nothing_but_is_marked(floor, desk):
    symbol = floor.stock(self_trade_prevention="none")
    broker = floor.broker(**{symbol: 100})
    floor.charge(broker, 5, 5)
    trade = desk.trade(broker, broker, symbol, 10, 3_500)
    assert desk.bust(trade) == "done"
    assert (floor.cash(broker), floor.shares(broker, symbol)) == ((MONEY, 0), (100, 0))
    assert floor.position(broker, symbol) == (350_000, 0)


@pytest.mark.parametrize("new_price", [None, 3_450])
def test_withdrawn_shares_take_along_what_they_would_have_cost(floor, desk, new_price):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker(**{symbol: 10})
    wrong = desk.trade(seller, buyer, symbol, 10, 3_600)
    with transaction(floor.engine) as session:
        withdraw(session, buyer, floor.symbols[symbol], 5)
    assert desk.bust(wrong, new_price=new_price) == "done"
    assert floor.position(buyer, symbol)[0] == (17_500 if new_price is None else 52_125)


def test_what_everybody_is_worth_is_as_if_it_had_never_been(floor, desk):
    """Equity, profit and fees, also of a party that owes what it has sold on."""
    symbol = floor.stock()
    seller, middle, buyer = floor.broker(**{symbol: 100}), floor.broker(), floor.broker()
    for broker in (seller, middle, buyer):
        floor.charge(broker, 10, 10)
    wrong = desk.trade(seller, middle, symbol, 100, 3_300)
    desk.trade(middle, buyer, symbol, 100, 3_500)
    assert worth(floor, seller) == (MONEY + 330_000 - 330, -20_000, 330)
    assert desk.bust(wrong) == "done"
    assert worth(floor, seller) == (MONEY + 350_000, 0, 0)
    assert worth(floor, middle) == (MONEY - 350, 0, 350)
    assert worth(floor, buyer) == (MONEY - 350, 0, 350)


def worth(floor, broker):
    """Equity, realised profit, fees."""
    with transaction(floor.engine) as session:
        *_, now = read_equity(session, broker, "1h", datetime.now(UTC))
    return now["equity"], now["realised_pnl"], now["fees"]
