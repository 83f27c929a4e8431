"""Given stops, when the price reaches them, then they trade with what was reserved for them at entry, and no more."""

import pytest

from services.errors import InsufficientFunds, OffTick, PriceTooLarge
from services.order_entry.errors import StopNotAmendable, StopPriceNotAmendable
from tests.services.floor import MONEY


@pytest.fixture
def story(floor):
    """A stock that last traded at 35.00, a seller of plenty, a buyer, and somebody else."""
    symbol = floor.stock()
    seller, buyer, other = floor.broker(**{symbol: 1_000}), floor.broker(), floor.broker(**{symbol: 1_000})
    floor.ask(other, symbol, 1, 3_500)
    floor.bid(other, symbol, 1, 3_500, self_trade_prevention="none")
    floor.match(symbol)
    return symbol, seller, buyer, other


def trade_at(floor, story, price):
    """Let one share trade at `price`; whatever that elects trades in the same turn."""
    symbol, _, _, other = story
    floor.ask(other, symbol, 1, price)
    floor.bid(other, symbol, 1, price, self_trade_prevention="none")
    floor.match(symbol)


def test_a_stop_buy_reserves_its_stop_price_plus_protection_and_keeps_only_what_it_pays(floor, story):
    symbol, seller, buyer, _ = story
    stop = floor.bid(buyer, symbol, 100, stop_price=3_601)
    assert floor.cash(buyer) == (MONEY - 378_200, 378_200)  # 36.01 plus 5 %, up to a cent: 37.82
    floor.ask(seller, symbol, 60, 3_620)
    floor.match(symbol)
    row = floor.row(stop)
    assert (row.status, row.price, row.protection_price, row.triggered_at) == ("untriggered", None, 3_782, None)
    trade_at(floor, story, 3_601)
    assert floor.stands(stop) == ("expired", 60, 0, 40)
    assert floor.row(stop).triggered_at is not None
    assert floor.cash(buyer) == (MONEY - 60 * 3_620, 0)


def test_a_stop_sale_reserves_its_shares_and_takes_the_bids(floor, story):
    symbol, seller, buyer, _ = story
    stop = floor.ask(seller, symbol, 100, stop_price=3_450)
    assert floor.shares(seller, symbol) == (900, 100)
    floor.bid(buyer, symbol, 100, 3_440)
    trade_at(floor, story, 3_450)
    assert floor.stands(stop) == ("filled", 100, 0, 0)
    assert floor.cash(buyer) == (MONEY - 344_000, 0)


def test_a_stop_limit_reserves_its_limit_and_rests_once_it_is_elected(floor, story):
    symbol, _, buyer, _ = story
    stop = floor.bid(buyer, symbol, 100, 3_620, stop_price=3_600)
    assert floor.cash(buyer) == (MONEY - 362_000, 362_000)
    trade_at(floor, story, 3_600)
    assert floor.stands(stop) == ("open", 0, 100, 0)
    assert floor.query("SELECT best_bid FROM stocks WHERE symbol = :s", s=symbol)[0].best_bid == 3_620


def test_a_stop_that_is_reached_already_is_elected_when_it_comes(floor, story):
    symbol, seller, buyer, _ = story
    floor.ask(seller, symbol, 100, 3_510)
    stop = floor.bid(buyer, symbol, 100, stop_price=3_500)
    floor.match(symbol)
    assert floor.stands(stop) == ("filled", 100, 0, 0)


def test_elections_cascade_within_one_turn(floor, story):
    symbol, seller, buyer, _ = story
    for price in (3_520, 3_540, 3_560):
        floor.ask(seller, symbol, 10, price)
    stops = [floor.bid(buyer, symbol, 10, stop_price=stop) for stop in (3_540, 3_520, 3_510)]
    floor.bid(buyer, symbol, 1, 3_510)
    floor.match(symbol)
    trade_at(floor, story, 3_510)
    assert [floor.stands(stop)[0] for stop in stops] == ["filled"] * 3


def test_a_waiting_stop_is_in_no_book_and_survives_a_restart(floor, story):
    symbol, seller, buyer, _ = story
    stop = floor.bid(buyer, symbol, 10, 3_620, stop_price=3_600)
    floor.match(symbol)
    assert floor.query("SELECT best_bid FROM stocks WHERE symbol = :s", s=symbol)[0].best_bid is None
    floor.books.forget_all()
    floor.ask(seller, symbol, 10, 3_610)
    trade_at(floor, story, 3_600)
    assert floor.stands(stop) == ("filled", 10, 0, 0)


def test_a_waiting_stop_can_be_cancelled_and_amended(floor, story):
    symbol, _, buyer, _ = story
    stop, limited = (
        floor.bid(buyer, symbol, 100, stop_price=3_600),
        floor.bid(buyer, symbol, 10, 3_620, stop_price=3_600),
    )
    floor.match(symbol)
    floor.amend(buyer, stop, quantity=200)
    floor.amend(buyer, limited, price=3_650)
    floor.match(symbol)
    assert floor.stands(stop) == ("untriggered", 0, 200, 0)
    assert floor.cash(buyer)[1] == 200 * 3_780 + 10 * 3_650
    floor.amend(buyer, stop, quantity=50)
    floor.match(symbol)
    assert floor.cash(buyer)[1] == 50 * 3_780 + 10 * 3_650
    with pytest.raises(StopNotAmendable):
        floor.amend(buyer, stop, price=3_700)
    floor.cancel(buyer, stop)
    floor.match(symbol)
    assert floor.cash(buyer)[1] == 10 * 3_650


@pytest.mark.parametrize(("stop_price", "refusal"), [(3_601, OffTick), (2_000_000_000, PriceTooLarge)])
def test_a_stop_price_must_be_one(floor, stop_price, refusal):
    symbol, buyer = floor.stock(tick_size=5), floor.broker()
    (answer,) = floor.place(floor.order(buyer, symbol, "bid", 1, None, stop_price=stop_price))
    assert type(answer) is refusal
    assert answer.field == "stop_price"


def test_the_owner_is_told_of_each_step(floor, story):
    symbol, seller, buyer, other = story
    stop = floor.bid(buyer, symbol, 10, stop_price=3_510)
    floor.ask(seller, symbol, 10, 3_520)
    floor.ask(other, symbol, 1, 3_510)
    floor.bid(other, symbol, 1, 3_510, self_trade_prevention="none")
    messages = floor.match(symbol).messages
    told = [(one.event, one.payload["status"]) for one in messages if one.payload.get("order_id") == stop]
    assert told == [("ORDER_OPENED", "untriggered"), ("ORDER_TRIGGERED", "open"), ("ORDER_FILLED", "filled")]


class TestAnotherStopPrice:
    def test_its_protection_and_what_is_set_aside_for_it_follow(self, floor, story):
        symbol, seller, buyer, _ = story
        floor.charge(buyer, 0, 10)
        stop = floor.bid(buyer, symbol, 100, stop_price=3_601)
        floor.match(symbol)
        for stop_price, protection in ((3_700, 3_885), (3_590, 3_770)):
            floor.amend(buyer, stop, stop_price=stop_price)
            floor.match(symbol)
            row = floor.row(stop)
            assert (row.status, row.stop_price, row.protection_price) == ("untriggered", stop_price, protection)
            assert floor.cash(buyer)[1] == 100 * protection + -(-100 * protection // 1_000)
        floor.ask(seller, symbol, 100, 3_700)
        trade_at(floor, story, 3_590)
        assert floor.stands(stop) == ("filled", 100, 0, 0)

    def test_one_that_is_reached_already_goes_at_once(self, floor, story):
        symbol, seller, buyer, _ = story
        stop = floor.ask(seller, symbol, 100, stop_price=3_400)
        floor.bid(buyer, symbol, 100, 3_490)
        floor.match(symbol)
        floor.amend(seller, stop, stop_price=3_500, quantity=70)
        floor.match(symbol)
        assert floor.stands(stop) == ("filled", 70, 0, 0)
        assert floor.row(stop).triggered_at is not None

    def test_of_a_stop_limit_only_the_wait_changes(self, floor, story):
        symbol, _, buyer, _ = story
        stop = floor.bid(buyer, symbol, 100, 3_620, stop_price=3_600)
        floor.match(symbol)
        floor.amend(buyer, stop, stop_price=3_550)
        floor.match(symbol)
        assert floor.cash(buyer) == (MONEY - 362_000, 362_000)
        floor.books.forget_all()
        trade_at(floor, story, 3_550)
        assert floor.stands(stop) == ("open", 0, 100, 0)

    def test_whoever_cannot_pay_for_it_keeps_the_old_one(self, floor):
        symbol, buyer = floor.stock(), floor.broker(378_200)
        stop = floor.bid(buyer, symbol, 100, stop_price=3_601)
        floor.match(symbol)
        with pytest.raises(InsufficientFunds) as refused:
            floor.amend(buyer, stop, stop_price=3_602)
        assert refused.value.facts["required"] == 100
        assert floor.row(stop).stop_price == 3_601

    def test_what_waits_for_no_price_has_none_to_amend(self, floor, story):
        symbol, seller, buyer, _ = story
        limit, stop = floor.ask(seller, symbol, 5, 3_600), floor.bid(buyer, symbol, 5, 3_400, stop_price=3_500)
        for refused in (limit, stop):
            if refused == stop:
                floor.match(symbol)  # it is reached as it comes
            with pytest.raises(StopPriceNotAmendable):
                floor.amend(seller if refused == limit else buyer, refused, stop_price=3_700)

    @pytest.mark.parametrize(("tick", "asked", "refusal"), [(5, 3_601, OffTick), (1, 10**12, PriceTooLarge)])
    def test_a_stop_price_that_could_not_come_is_none_to_amend_to(self, floor, tick, asked, refusal):
        symbol, buyer = floor.stock(tick_size=tick), floor.broker()
        stop = floor.bid(buyer, symbol, 1, stop_price=3_600)
        with pytest.raises(refusal):
            floor.amend(buyer, stop, stop_price=asked)
