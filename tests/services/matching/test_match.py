"""Given a book, when orders and cancels meet, then these trades, releases and messages."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from tests.services.floor import MONEY


def test_better_prices_trade_first_and_equal_ones_in_order_of_arrival(floor):
    symbol = floor.stock()
    sellers = [floor.broker(**{symbol: 100}) for _ in range(3)]
    buyer = floor.broker()
    dear, first, second = (
        floor.ask(seller, symbol, 10, price) for seller, price in zip(sellers, (3_510, 3_500, 3_500), strict=True)
    )
    bid = floor.bid(buyer, symbol, 25, 3_510)
    floor.match(symbol)
    assert floor.trades(symbol) == [(10, 3_500, bid, first), (10, 3_500, bid, second), (5, 3_510, bid, dear)]
    assert floor.cash(buyer) == (MONEY - 20 * 3_500 - 5 * 3_510, 0)


def test_what_an_immediate_order_does_not_get_at_once_expires(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.ask(seller, symbol, 10, 3_500)
    bid = floor.bid(buyer, symbol, 30, 3_600, time_in_force="ioc")
    alone = floor.bid(buyer, symbol, 30, 3_600, time_in_force="ioc")
    floor.match(symbol)
    assert floor.stands(bid) == ("expired", 10, 0, 20)
    assert floor.stands(alone) == ("expired", 0, 0, 30)
    assert floor.cash(buyer) == (MONEY - 35_000, 0)


def test_an_order_whose_time_is_over_never_trades(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    soon = datetime.now(UTC) + timedelta(milliseconds=200)
    resting, late = (floor.ask(seller, symbol, 10, 3_500, valid_until=soon) for _ in range(2))
    later = floor.ask(seller, symbol, 10, 3_500, valid_until=soon + timedelta(days=1))
    floor.match(symbol, limit=1)
    assert floor.stands(resting)[0] == "open"
    floor.query("SELECT pg_sleep(0.25)")
    bid = floor.bid(buyer, symbol, 30, 3_500)
    floor.match(symbol)
    assert floor.trades(symbol) == [(10, 3_500, bid, later)]
    assert floor.stands(resting) == floor.stands(late) == ("expired", 0, 0, 10)
    assert floor.shares(seller, symbol) == (90, 0)


@pytest.mark.parametrize(("rule", "price"), [("maker", 3_550), ("seller", 3_500)])
def test_an_aggressive_sale_gets_the_bids_price_or_by_the_stocks_rule_its_own(floor, rule, price):
    symbol = floor.stock(execution_price=rule)
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    bid, ask = floor.bid(buyer, symbol, 10, 3_550), floor.ask(seller, symbol, 10, 3_500)
    floor.match(symbol)
    assert floor.trades(symbol) == [(10, price, bid, ask)]
    assert floor.cash(buyer) == (MONEY - 10 * price, 0)
    assert floor.cash(seller) == (MONEY + 10 * price, 0)


def test_under_the_sellers_rule_a_market_sale_takes_the_bid(floor):
    symbol = floor.stock(execution_price="seller")
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    bid, ask = floor.bid(buyer, symbol, 10, 3_550), floor.ask(seller, symbol, 10)
    floor.match(symbol)
    assert floor.trades(symbol) == [(10, 3_550, bid, ask)]


def test_a_cancel_before_the_fill_wins_and_after_it_comes_too_late(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    first, second = floor.ask(seller, symbol, 10, 3_500), floor.ask(seller, symbol, 10, 3_500)
    floor.match(symbol)
    floor.cancel(seller, first)
    bid = floor.bid(buyer, symbol, 10, 3_500)
    floor.cancel(seller, second)
    floor.match(symbol)
    assert floor.trades(symbol) == [(10, 3_500, bid, second)]
    assert floor.stands(first) == ("cancelled", 0, 0, 10)
    assert floor.refusals(second) == [None, "unknown_order"]
    assert floor.shares(seller, symbol) == (90, 0)


def test_a_cancel_gives_back_exactly_what_is_left(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    bid = floor.bid(buyer, symbol, 100, 3_500)
    floor.ask(seller, symbol, 30, 3_400)
    floor.match(symbol)
    assert floor.cancel(buyer, bid).command_id
    floor.match(symbol)
    assert floor.stands(bid) == ("cancelled", 30, 0, 70)
    assert floor.cash(buyer) == (MONEY - 30 * 3_500, 0)
    assert floor.cancel(buyer, bid).command_id is None
    assert floor.match(symbol).commands == 0


STP_CASES = [
    ("cancel_resting", ("cancelled", 0, 0, 30), ("open", 0, 50, 0), 50),
    ("cancel_incoming", ("open", 0, 30, 0), ("cancelled", 0, 0, 50), 0),
    ("cancel_both", ("cancelled", 0, 0, 30), ("cancelled", 0, 0, 50), 0),
    ("decrement", ("cancelled", 0, 0, 30), ("open", 0, 20, 30), 20),
]


@pytest.mark.parametrize(("mode", "resting", "incoming", "still_wanted"), STP_CASES)
@pytest.mark.parametrize("by_order", [False, True], ids=["stock", "order"])
def test_self_trade_prevention_trades_nothing_and_releases_what_it_takes(
    floor, mode, resting, incoming, still_wanted, by_order
):
    symbol = floor.stock(self_trade_prevention="none" if by_order else mode)
    broker = floor.broker(**{symbol: 100})
    ask = floor.ask(broker, symbol, 30, 3_500)
    fields = {"self_trade_prevention": mode} if by_order else {}
    bid = floor.bid(broker, symbol, 50, 3_600, **fields)
    turn = floor.match(symbol)
    assert turn.trades == 0
    assert (floor.stands(ask), floor.stands(bid)) == (resting, incoming)
    assert floor.cash(broker) == (MONEY - still_wanted * 3_600, still_wanted * 3_600)
    assert floor.shares(broker, symbol) == (100 - resting[2], resting[2])


def test_without_prevention_a_broker_trades_with_itself_and_owns_what_it_did(floor):
    symbol = floor.stock(self_trade_prevention="none")
    broker = floor.broker(**{symbol: 100})
    ask, bid = floor.ask(broker, symbol, 30, 3_500), floor.bid(broker, symbol, 50, 3_600)
    floor.match(symbol)
    assert floor.trades(symbol) == [(30, 3_500, bid, ask)]
    assert floor.cash(broker) == (MONEY - 20 * 3_600, 20 * 3_600)
    assert floor.shares(broker, symbol) == (100, 0)


def test_two_customers_of_one_broker_trade_with_each_other(floor):
    symbol = floor.stock()
    broker = floor.broker(**{symbol: 100})
    floor.ask(broker, symbol, 30, 3_500, document_number="1")
    floor.bid(broker, symbol, 30, 3_500, document_number="2")
    assert floor.match(symbol).trades == 1


def test_the_first_trade_of_a_stock_without_reference_makes_its_band(floor):
    symbol = floor.stock(reference=None)
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.ask(seller, symbol, 10, 1_000)
    far = floor.ask(seller, symbol, 10, 5_000)
    floor.bid(buyer, symbol, 20, 5_000)
    floor.match(symbol)
    assert [(quantity, price) for quantity, price, _, _ in floor.trades(symbol)] == [(10, 1_000), (10, 5_000)]
    (stock,) = floor.query("SELECT * FROM stocks WHERE symbol = :symbol", symbol=symbol)
    assert (stock.reference_price, stock.last_price) == (1_000, 5_000)
    late = floor.bid(buyer, symbol, 1, 1_100)
    floor.match(symbol)
    assert (floor.stands(far)[0], floor.stands(late)[0]) == ("filled", "open")


def test_an_order_overtaken_by_the_band_is_rejected_and_released(floor):
    symbol = floor.stock(reference=None)
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.ask(seller, symbol, 10, 1_000)
    floor.bid(buyer, symbol, 10, 1_000)
    overtaken = floor.bid(buyer, symbol, 10, 5_000)
    floor.match(symbol)
    assert floor.stands(overtaken) == ("rejected", 0, 0, 10)
    assert floor.row(overtaken).close_reason == "price_outside_band"
    assert floor.cash(buyer) == (MONEY - 10_000, 0)


def test_a_turn_tells_the_tape_then_the_owners_then_the_portfolios(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    ask, bid = floor.ask(seller, symbol, 10, 3_500), floor.bid(buyer, symbol, 4, 3_600)
    turn = floor.match(symbol)
    *told, _, _ = turn.messages
    assert [(message.room, message.event) for message in told] == [
        (("stock", symbol), "TRADE_EXECUTED"),
        (("user", seller), "ORDER_OPENED"),
        (("user", buyer), "ORDER_OPENED"),
        (("user", seller), "ORDER_FILLED"),
        (("user", buyer), "ORDER_FILLED"),
    ]
    trade, _, _, sold, bought = (message.payload for message in told)
    assert (trade["price"], trade["quantity"], trade["aggressor_side"], trade["sequence"]) == (3_500, 4, "bid", 1)
    assert (bought["order_id"], bought["status"], bought["average_price"]) == (bid, "filled", 3_500)
    assert (sold["order_id"], sold["status"], sold["remaining_quantity"]) == (ask, "partially_filled", 6)
    portfolios = {message.room: message for message in turn.messages[-2:]}
    assert {message.event for message in portfolios.values()} == {"PORTFOLIO_UPDATED"}
    assert sorted(portfolios[("user", buyer)].payload["balances"], key=lambda row: row["asset"]) == [
        {"asset": "cash", "symbol": None, "available": MONEY - 14_000, "reserved": 0},
        {"asset": "stock", "symbol": symbol, "available": 4, "reserved": 0},
    ]
    snapshot = orjson.loads(orjson.dumps(turn.snapshots[symbol]))
    assert snapshot["asks"] == [{"price": 3_500, "total_quantity": 6, "order_count": 1}]
    assert snapshot["bids"] == []


def test_each_fill_of_one_order_is_told_with_its_own_and_the_cumulative_quantity(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    for price in (3_500, 3_510):
        floor.ask(seller, symbol, 10, price)
    bid = floor.bid(buyer, symbol, 15, 3_600)
    turn = floor.match(symbol)
    fills = [m.payload for m in turn.messages if m.event == "ORDER_FILLED" and m.payload["order_id"] == bid]
    told = [(f["last_quantity"], f["last_price"], f["filled_quantity"], f["average_price"], f["status"]) for f in fills]
    assert told == [(10, 3_500, 10, 3_500, "partially_filled"), (5, 3_510, 15, 3_503.3333, "filled")]
