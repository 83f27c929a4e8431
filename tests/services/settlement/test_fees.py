"""Given brokers that pay fees, when their orders trade, then each order pays to the cent what is written, once."""

from datetime import UTC, datetime

import pytest

from database.session import transaction
from services.accounts.fee_terms import count_turnover, read_fees
from services.errors import InsufficientFunds
from services.settlement.fees import FeeRates, OrderFees, rounded_up
from settings.sections import Fees
from tests.services.floor import MONEY


def fees_of(floor, order_id):
    """(trade, what each fill bore) of an order, oldest first, as events and as transfers."""
    events = floor.query(
        "SELECT coalesce(fee, 0) AS fee FROM account_events WHERE order_id = :id AND trade_id IS NOT NULL "
        "ORDER BY sequence",
        id=order_id,
    )
    paid = [amount for kind, amount, _, _ in floor.transfers(order_id) if kind == "fee"]
    borne = [row.fee for row in events]
    assert [fee for fee in borne if fee] == paid
    return borne


def auctions(floor, symbol):
    """Of each trade of a stock whether it is of an auction."""
    rows = floor.query("SELECT is_auction FROM trades WHERE stock_id = :id ORDER BY sequence", id=floor.symbols[symbol])
    return [row.is_auction for row in rows]


def exchange(floor):
    """What the exchange has been paid, in cents."""
    return sum(row.held for row in floor.query("SELECT available AS held FROM balances WHERE broker_id < 0"))


@pytest.fixture
def desk(floor):
    """A stock, a buyer who pays 5 and 10 bps, and a seller with shares who pays nothing."""
    symbol = floor.stock(reference=None)
    buyer, seller = floor.broker(), floor.broker(**{symbol: 10_000})
    floor.charge(buyer, 5, 10)
    return symbol, buyer, seller


@pytest.mark.parametrize("fills", [[10], [1] * 10, [3, 7], [9, 1]], ids=str)
def test_a_fee_is_rounded_up_once_for_an_order_however_it_is_filled(floor, desk, fills):
    symbol, buyer, seller = desk
    for quantity in fills:
        floor.ask(seller, symbol, quantity, 1_001)
    before = exchange(floor)
    bid = floor.bid(buyer, symbol, 10, 1_001)
    floor.match(symbol)
    assert sum(fees_of(floor, bid)) == 11 == exchange(floor) - before
    assert floor.cash(buyer) == (MONEY - 10_010 - 11, 0)


def test_the_smallest_fill_pays_a_cent_and_crumbs_pay_no_less(floor, desk):
    symbol, buyer, seller = desk
    floor.ask(seller, symbol, 1, 999)
    assert (floor.bid(buyer, symbol, 1, 999), floor.match(symbol).trades)[1] == 1
    resting = floor.bid(buyer, symbol, 100, 999)
    floor.match(symbol)
    for _ in range(100):
        floor.ask(seller, symbol, 1, 999)
        floor.match(symbol)
    whole = floor.bid(buyer, symbol, 100, 999)
    floor.match(symbol)
    floor.ask(seller, symbol, 100, 999)
    floor.match(symbol)
    assert sum(fees_of(floor, resting)) == sum(fees_of(floor, whole)) == rounded_up(99_900 * 5) == 50


def test_each_fill_has_the_rate_of_its_own_liquidity_and_bears_what_the_order_grew_by(floor, desk):
    symbol, buyer, seller = desk
    floor.ask(seller, symbol, 300, 1_001)
    bid = floor.bid(buyer, symbol, 1_000, 1_001)
    floor.match(symbol)
    floor.ask(seller, symbol, 700, 1_001)
    floor.match(symbol)
    taken, rested = fees_of(floor, bid)
    assert (taken, rested) == (rounded_up(300_300 * 10), rounded_up(300_300 * 10 + 700_700 * 5) - 301) == (301, 350)
    assert floor.row(bid).maker_notional == 700_700


def test_a_bid_without_the_fee_is_refused_and_the_refusal_says_what_it_needs(floor):
    symbol, buyer = floor.stock(reference=None), floor.broker(100_000)
    floor.charge(buyer, 0, 10)
    with pytest.raises(InsufficientFunds) as refused:
        floor.bid(buyer, symbol, 100, 1_000)
    assert refused.value.facts["required"] == 100_100
    floor.bid(buyer, symbol, 99, 1_000)
    assert floor.cash(buyer) == (901, 99_099)


def test_the_rest_comes_back_at_once(floor, desk):
    """The price is better than the limit, and who rests pays less than was set aside."""
    symbol, buyer, seller = desk
    bid = floor.bid(buyer, symbol, 100, 1_001)
    floor.match(symbol)
    assert floor.cash(buyer)[1] == 100_100 + 101
    floor.ask(seller, symbol, 40, 1_001)
    floor.match(symbol)
    borne = rounded_up(40_040 * 5)
    assert floor.cash(buyer)[1] == 60_060 + rounded_up(40_040 * 5 + 60_060 * 10) - borne
    floor.cancel(buyer, bid)
    floor.match(symbol)
    assert floor.cash(buyer) == (MONEY - 40_040 - borne, 0)


def test_a_sale_pays_from_what_it_brings(floor):
    symbol = floor.stock(reference=None)
    seller, buyer = floor.broker(0, **{symbol: 100}), floor.broker()
    floor.charge(seller, 1_000, 1_000)
    ask = floor.ask(seller, symbol, 3, 1)
    floor.bid(buyer, symbol, 3, 1)
    floor.match(symbol)
    assert fees_of(floor, ask) == [1]
    assert floor.cash(seller) == (2, 0)
    (row,) = floor.query("SELECT traded FROM balances WHERE broker_id = :id AND asset_id = 1", id=seller)
    assert row.traded == 2


def test_fees_are_in_neither_cost_nor_profit(floor, desk):
    symbol, buyer, seller = desk
    floor.ask(seller, symbol, 10, 1_000)
    floor.bid(buyer, symbol, 10, 1_000)
    floor.match(symbol)
    assert floor.position(buyer, symbol) == (10_000, 0)


def test_both_sides_of_an_auction_pay_as_makers(floor, desk):
    symbol, buyer, seller = desk
    floor.charge(seller, 7, 20)
    floor.put_into(symbol, "auction")
    bid, ask = floor.bid(buyer, symbol, 100, 1_010), floor.ask(seller, symbol, 100, 1_000)
    floor.match(symbol)
    floor.change(symbol, "uncross")
    turn = floor.match(symbol)
    price = floor.trades(symbol)[0][1]
    assert fees_of(floor, bid) == [rounded_up(price * 100 * 5)]
    assert fees_of(floor, ask) == [rounded_up(price * 100 * 7)]
    told = [message.payload for message in turn.messages if message.event == "ORDER_FILLED"]
    assert {fill["liquidity"] for fill in told} == {"auction"}
    assert auctions(floor, symbol) == [True]


def test_a_stop_that_the_auction_elects_takes_and_is_no_auction(floor, desk):
    symbol, buyer, seller = desk
    floor.put_into(symbol, "auction")
    floor.bid(buyer, symbol, 100, 1_010)
    floor.ask(seller, symbol, 100, 1_010)
    floor.ask(seller, symbol, 10, 1_015)
    stop = floor.bid(buyer, symbol, 10, stop_price=1_005)
    floor.match(symbol)
    floor.change(symbol, "state", "open")
    floor.match(symbol)
    assert floor.trades(symbol)[-1] == (10, 1_015, stop, floor.trades(symbol)[-1][3])
    assert fees_of(floor, stop) == [rounded_up(10_150 * 10)]
    assert auctions(floor, symbol) == [True, False]


def test_rates_are_frozen_as_an_order_comes_and_survive_a_rebuilt_book(floor, desk):
    symbol, buyer, seller = desk
    bid = floor.bid(buyer, symbol, 1_000, 1_001)
    floor.match(symbol)
    floor.charge(buyer, 100, 100)
    for _ in range(3):
        floor.books.forget_all()
        floor.ask(seller, symbol, 333, 1_001)
        floor.match(symbol)
    assert sum(fees_of(floor, bid)) == rounded_up(999 * 1_001 * 5)


def test_who_has_just_been_given_other_fees_pays_these_whatever_a_process_remembers(floor, desk):
    symbol, buyer, seller = desk
    floor.charge(buyer, 0, 100, remembered=False)
    before = floor.cash(buyer)[0]
    bid = floor.bid(buyer, symbol, 10, 1_000)
    assert floor.cash(buyer) == (before - 10_100, 10_100)
    floor.ask(seller, symbol, 10, 1_000)
    floor.match(symbol)
    assert (floor.row(bid).taker_bps, sum(fees_of(floor, bid))) == (100, 0)


def test_fees_of_its_tier_are_counted_by_30_days_of_trades(floor, desk):
    symbol, buyer, seller = desk
    floor.fees = Fees(maker_bps=20, taker_bps=30, tiers=("10000:4:8", "1000000:1:2"))
    floor.charge(buyer, None, None)
    assert floor.rates[buyer].taker_bps == 30
    floor.ask(seller, symbol, 10, 1_000)
    floor.bid(buyer, symbol, 10, 1_000)
    floor.match(symbol)
    with transaction(floor.engine) as session:
        count_turnover(session, datetime.now(UTC))
        found = read_fees(session, buyer, floor.fees)
    assert (found["maker_bps"], found["taker_bps"], found["volume_30d"]) == (4, 8, 10_000)


@pytest.mark.parametrize("amended", [{"quantity": 150}, {"price": 1_100}, {"price": 1_100, "quantity": 50}], ids=str)
def test_an_amendment_moves_the_fee_along(floor, desk, amended):
    symbol, buyer, seller = desk
    bid = floor.bid(buyer, symbol, 100, 1_001)
    floor.match(symbol)
    floor.ask(seller, symbol, 30, 1_001)
    floor.match(symbol)
    floor.amend(buyer, bid, **amended)
    floor.match(symbol)
    price, left = amended.get("price", 1_001), amended.get("quantity", 100) - 30
    payable = 30_030 * 5
    assert floor.cash(buyer)[1] == left * price + rounded_up(payable + left * price * 10) - rounded_up(payable)


@pytest.mark.parametrize(("cash", "accepted"), [(1_001, True), (1_000, False)])
def test_an_amendment_needs_what_it_needs_to_the_cent(floor, cash, accepted):
    """Half a cent for each: one cent for the first, none for the second."""
    symbol, buyer = floor.stock(reference=None), floor.broker(cash)
    floor.charge(buyer, 0, 10)
    bid = floor.bid(buyer, symbol, 1, 500)
    floor.match(symbol)
    if accepted:
        floor.amend(buyer, bid, quantity=2)
        floor.match(symbol)
        assert floor.cash(buyer) == (0, 1_001)
    else:
        with pytest.raises(InsufficientFunds):
            floor.amend(buyer, bid, quantity=2)


def test_no_fill_ever_costs_a_seller_more_than_it_brings():
    for price in range(1, 40):
        fees = OrderFees(FeeRates(1_000, 1_000), 40)
        for _ in range(40):
            assert fees.charge(price, 1, "taker") <= price


def test_what_is_set_aside_is_always_enough_and_never_grows():
    for maker, taker in ((0, 7), (9, 3), (1_000, 999)):
        for price in (1, 13, 999):
            fees = OrderFees(FeeRates(maker, taker), 30)
            reserved = 30 * price + fees.set_aside(30 * price)
            for number in range(30):
                at = max(1, price - number % 3)
                paid = at + fees.charge(at, 1, "maker" if number % 2 else "taker")
                needed = fees.left * price + fees.set_aside(fees.left * price)
                assert paid + needed <= reserved
                reserved = needed
            assert reserved == 0
