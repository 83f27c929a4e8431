"""Given a stock, when its trading state changes, then orders gather, trade at one price, wait, or are refused."""

import pytest

from services.errors import NotInAuction, StockClosed, StockHalted
from tests.services.floor import MONEY, REFERENCE, reasons


@pytest.fixture
def story(floor):
    """A stock, a seller of plenty and a buyer."""
    symbol = floor.stock()
    return symbol, floor.broker(**{symbol: 1_000}), floor.broker()


def stock(floor, symbol):
    return floor.query("SELECT * FROM stocks WHERE symbol = :s", s=symbol)[0]


def indicative(floor, symbol):
    row = stock(floor, symbol)
    return row.indicative_price, row.indicative_volume, row.indicative_surplus


def test_a_halt_takes_only_cancels_and_is_told_with_its_reason(floor, story):
    symbol, seller, buyer = story
    ask = floor.ask(seller, symbol, 10, 3_500)
    late = floor.order(buyer, symbol, "bid", 10, 3_500)
    floor.change(symbol, "state", "halted", reason="news", by="administrator")
    late_id = floor.accepted(late)
    turn = floor.match(symbol)
    assert floor.row(late_id).close_reason == "stock_halted"
    assert floor.cash(buyer) == (MONEY, 0)
    told = next(one for one in turn.messages if one.event == "STOCK_STATE")
    assert told.room == ("stock", symbol)
    assert (told.payload["state"], told.payload["reason"], told.payload["sequence"]) == ("halted", "news", 1)
    row = stock(floor, symbol)
    assert (row.state, row.state_reason, row.event_sequence) == ("halted", "news", 1)
    assert row.state_since == row.sequenced_at
    assert type(floor.place(floor.order(buyer, symbol, "bid", 1, 3_500))[0]) is StockHalted
    floor.cancel(seller, ask)
    floor.match(symbol)
    assert floor.stands(ask)[0] == "cancelled"


def test_orders_gather_and_trade_at_one_price_when_the_market_opens(floor, story):
    symbol, seller, buyer = story
    floor.put_into(symbol, "auction")
    ask = floor.ask(seller, symbol, 10, 3_450)
    dear, cheap = floor.bid(buyer, symbol, 8, 3_600), floor.bid(buyer, symbol, 8, 3_480)
    turn = floor.match(symbol)
    assert indicative(floor, symbol) == (3_480, 10, 6)
    told = [one.payload for one in turn.messages if one.event == "INDICATIVE"]
    assert [(one["price"], one["volume"], one["surplus"]) for one in told] == [(3_480, 10, 6)]
    floor.change(symbol, "state", "open")
    assert "INDICATIVE" not in reasons(floor.match(symbol).messages)
    assert floor.trades(symbol) == [(8, 3_480, dear, ask), (2, 3_480, cheap, ask)]
    assert floor.cash(buyer) == (MONEY - 10 * 3_480 - 6 * 3_480, 6 * 3_480)
    assert indicative(floor, symbol) == (None, 0, 0)
    assert (stock(floor, symbol).reference_price, stock(floor, symbol).state) == (3_480, "open")


def test_a_gathered_book_is_rebuilt_with_what_it_indicates(floor, story):
    symbol, seller, buyer = story
    floor.put_into(symbol, "auction")
    floor.ask(seller, symbol, 10, 3_450)
    market = floor.bid(buyer, symbol, 4)
    floor.match(symbol)
    floor.books.forget_all()
    floor.bid(buyer, symbol, 1, 3_300)
    assert "INDICATIVE" not in reasons(floor.match(symbol).messages)
    floor.put_into(symbol, "open")
    assert floor.stands(market) == ("filled", 4, 0, 0)


def test_a_market_buy_before_an_auction_reserves_at_the_upper_band(floor, story):
    symbol, seller, buyer = story
    floor.ask(seller, symbol, 10, 3_400)
    floor.match(symbol)
    floor.put_into(symbol, "pre_open")
    market = floor.bid(buyer, symbol, 10)
    assert floor.cash(buyer)[1] == 10 * (REFERENCE * 11 // 10)
    floor.match(symbol)
    assert floor.stands(market)[0] == "open"
    floor.put_into(symbol, "open")
    assert floor.stands(market) == ("filled", 10, 0, 0)
    assert floor.cash(buyer)[1] == 0


def test_what_an_auction_leaves_of_a_market_order_expires_or_trades_on(floor, story):
    symbol, seller, buyer = story
    floor.put_into(symbol, "auction")
    floor.ask(seller, symbol, 10, 3_500)
    left = floor.bid(buyer, symbol, 30)
    floor.match(symbol)
    floor.put_into(symbol, "open")
    assert floor.stands(left) == ("expired", 10, 0, 20)


@pytest.mark.parametrize(
    "fields",
    [{"time_in_force": "ioc"}, {"time_in_force": "fok"}, {"post_only": True}],
    ids=lambda fields: next(iter(fields)),
)
def test_what_cannot_wait_is_refused_while_orders_gather(floor, story, fields):
    symbol, _, buyer = story
    remembered = floor.rules(symbol)
    floor.put_into(symbol, "auction")
    (refusal,) = floor.place(floor.order(buyer, symbol, "bid", 1, 3_500, **fields))
    assert type(refusal) is NotInAuction
    (late,) = floor.place(floor.order(buyer, symbol, "bid", 1, 3_500, **fields), rules=remembered)
    assert floor.row(late.order_id).status == "pending"
    floor.match(symbol)
    assert (
        floor.query("SELECT close_reason FROM orders WHERE broker_id = :b", b=buyer)[0].close_reason == "not_in_auction"
    )


def test_uncrossing_leaves_the_state_and_only_ends_what_gathers(floor, story):
    symbol, seller, buyer = story
    refused = floor.change(symbol, "uncross")
    floor.put_into(symbol, "auction")
    floor.ask(seller, symbol, 10, 3_450)
    floor.bid(buyer, symbol, 10, 3_450)
    floor.change(symbol, "uncross")
    floor.put_into(symbol, "closed")
    assert len(floor.trades(symbol)) == 1
    assert floor.query("SELECT refused FROM commands WHERE id = :id", id=refused)[0].refused == "no_auction"
    assert stock(floor, symbol).reference_price == 3_450
    assert type(floor.place(floor.order(buyer, symbol, "bid", 1, 3_450))[0]) is StockClosed


def test_a_change_that_comes_too_late_for_its_state_is_refused(floor, story):
    symbol, _, _ = story
    floor.change(symbol, "state", "halted")
    late = floor.change(symbol, "state", "auction", only_from=["open"])
    floor.match(symbol)
    assert stock(floor, symbol).state == "halted"
    assert floor.query("SELECT refused FROM commands WHERE id = :id", id=late)[0].refused == "state_not_left"


def test_a_trade_outside_the_dynamic_band_calls_an_auction(floor):
    symbol = floor.stock(dynamic_band_bps=200)
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    near, far = floor.ask(seller, symbol, 10, 3_550), floor.ask(seller, symbol, 10, 3_600)
    bid = floor.bid(buyer, symbol, 20, 3_620)
    floor.match(symbol)
    assert floor.trades(symbol) == [(10, 3_550, bid, near)]
    assert (stock(floor, symbol).state, stock(floor, symbol).state_reason) == ("auction", "volatility")
    assert indicative(floor, symbol) == (3_600, 10, 0)
    floor.put_into(symbol, "open")
    assert floor.trades(symbol)[1:] == [(10, 3_600, bid, far)]


def test_a_band_that_follows_the_last_price_moves_with_it(floor):
    symbol = floor.stock(band_reference="last")
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    for price in (3_850, 4_200, 4_600):
        floor.ask(seller, symbol, 1, price)
        floor.bid(buyer, symbol, 1, price)
        floor.match(symbol)
    assert stock(floor, symbol).reference_price == 4_600
    assert len(floor.trades(symbol)) == 3


def test_the_roll_makes_the_last_price_the_reference(floor, story):
    symbol, seller, buyer = story
    floor.ask(seller, symbol, 1, 3_700)
    floor.bid(buyer, symbol, 1, 3_700)
    floor.change(symbol, "roll")
    floor.match(symbol)
    assert stock(floor, symbol).reference_price == 3_700
