"""Given accounts and a book, when orders come, then these reservations, trades, balances and transfers."""

from datetime import UTC, datetime, timedelta

import pytest

from database.session import in_transaction
from services.errors import (
    InsufficientFunds,
    InsufficientShares,
    NoReferencePrice,
    NotionalTooLarge,
    OffLot,
    OffTick,
    PriceOutsideBand,
    PriceTooLarge,
    QuantityTooLarge,
    StockClosed,
    StockHalted,
    ValidUntilInThePast,
)
from services.order_entry.placing.answers import Placed
from services.order_entry.placing.memory import OrderMemory
from services.order_entry.placing.place import place_orders
from settings.sections import Market
from tests.services.floor import MONEY


def test_the_worked_example(floor):
    petr4 = floor.stock(3_500)
    seller, buyer = floor.broker(0, **{petr4: 1_000}), floor.broker(2_000_000)
    ask = floor.ask(seller, petr4, 1_000, 3_500)
    assert floor.stands(ask) == ("pending", 0, 1_000, 0)
    assert floor.shares(seller, petr4) == (0, 1_000)
    bid = floor.bid(buyer, petr4, 500, 3_600)
    assert floor.cash(buyer) == (200_000, 1_800_000)

    turn = floor.match(petr4)

    assert floor.trades(petr4) == [(500, 3_500, bid, ask)]
    assert floor.stands(ask) == ("partially_filled", 500, 500, 0)
    assert floor.stands(bid) == ("filled", 500, 0, 0)
    assert floor.cash(buyer) == (250_000, 0)
    assert floor.shares(buyer, petr4) == (500, 0)
    assert floor.cash(seller) == (1_750_000, 0)
    assert floor.shares(seller, petr4) == (0, 500)
    assert floor.transfers(bid) == [
        ("reserve", 1_800_000, buyer, buyer),
        ("trade", 1_750_000, buyer, seller),
        ("improvement", 50_000, buyer, buyer),
    ]
    assert floor.transfers(ask) == [("reserve", 1_000, seller, seller), ("trade", 500, seller, buyer)]
    assert (turn.commands, turn.trades, turn.more) == (2, 1, False)


def test_a_bid_that_cannot_be_paid_for_leaves_nothing_behind(floor):
    symbol, buyer = floor.stock(), floor.broker(349_999)
    (refusal,) = floor.place(floor.order(buyer, symbol, "bid", 100, 3_500))
    assert isinstance(refusal, InsufficientFunds)
    assert refusal.facts["required"] == 350_000
    assert floor.cash(buyer) == (349_999, 0)
    assert floor.query("SELECT FROM orders WHERE broker_id = :id", id=buyer) == []
    assert floor.query("SELECT FROM transfers WHERE from_broker = :id AND kind = 'reserve'", id=buyer) == []


def test_money_is_spent_to_the_last_cent(floor):
    symbol, buyer = floor.stock(), floor.broker(350_000)
    floor.bid(buyer, symbol, 100, 3_500)
    assert floor.cash(buyer) == (0, 350_000)


def test_shares_that_are_not_there_cannot_be_sold(floor):
    symbol = floor.stock()
    seller, without = floor.broker(**{symbol: 99}), floor.broker()
    for broker in (seller, without):
        (refusal,) = floor.place(floor.order(broker, symbol, "ask", 100, 3_500))
        assert isinstance(refusal, InsufficientShares)
    assert floor.shares(seller, symbol) == (99, 0)


def test_in_a_batch_funds_are_given_in_order_of_arrival_and_one_that_lacks_them_is_refused_alone(floor):
    symbol = floor.stock()
    poor, rich = floor.broker(1_000_000), floor.broker()
    answers = floor.place(
        floor.order(poor, symbol, "bid", 100, 3_500),
        floor.order(rich, symbol, "bid", 100, 3_500),
        floor.order(poor, symbol, "bid", 200, 3_500),
        floor.order(poor, symbol, "bid", 180, 3_500),
        floor.order(poor, symbol, "ask", 10, 3_500),
        floor.order(poor, symbol, "bid", 10, 3_500),
    )
    kinds = [type(answer) for answer in answers]
    assert kinds == [Placed, Placed, InsufficientFunds, Placed, InsufficientShares, InsufficientFunds]
    assert floor.cash(poor) == (20_000, 980_000)
    assert floor.cash(rich)[1] == 350_000


def test_an_amount_beyond_all_bounds_is_refused_and_harms_nobody_else_in_the_batch(floor):
    floor.market = Market(max_notional=10**17)
    symbol, other = floor.stock(reference=None), floor.broker()
    poor = floor.broker(1_000_000)
    many = [floor.order(poor, symbol, "bid", 100_000_000, 1_000_000_000)] * 100
    answers = floor.place(floor.order(other, symbol, "bid", 1, 3_500), *many)
    assert isinstance(answers[0], Placed)
    assert {type(answer) for answer in answers[1:]} == {InsufficientFunds}
    assert floor.cash(poor) == (1_000_000, 0)


def test_short_selling_opens_the_account_and_stops_at_the_limit(floor):
    symbol = floor.stock()
    short, buyer = floor.broker(short_limit=100), floor.broker()
    answers = floor.place(
        floor.order(short, symbol, "ask", 60, 3_500),
        floor.order(short, symbol, "ask", 50, 3_500),
        floor.order(short, symbol, "ask", 40, 3_500),
    )
    assert [type(answer) for answer in answers] == [Placed, InsufficientShares, Placed]
    assert floor.shares(short, symbol) == (-100, 100)
    floor.bid(buyer, symbol, 100, 3_500)
    floor.match(symbol)
    assert floor.shares(short, symbol) == (-100, 0)
    assert floor.shares(buyer, symbol) == (100, 0)


def test_shares_bought_first_may_be_sold_short_later(floor):
    symbol = floor.stock()
    trader, other = floor.broker(short_limit=50), floor.broker(**{symbol: 100})
    floor.ask(other, symbol, 10, 3_500)
    floor.bid(trader, symbol, 10, 3_500)
    floor.match(symbol)
    floor.ask(trader, symbol, 60, 3_500)
    assert floor.shares(trader, symbol) == (-50, 60)
    assert isinstance(floor.place(floor.order(trader, symbol, "ask", 1, 3_500))[0], InsufficientShares)


def test_a_trusted_broker_spends_down_to_its_credit_limit(floor):
    symbol = floor.stock()
    trusted, seller = floor.broker(0, credit_limit=350_000), floor.broker(**{symbol: 1_000})
    floor.bid(trusted, symbol, 100, 3_500)
    assert floor.cash(trusted) == (-350_000, 350_000)
    assert isinstance(floor.place(floor.order(trusted, symbol, "bid", 1, 3_500))[0], InsufficientFunds)
    floor.ask(seller, symbol, 100, 3_500)
    floor.match(symbol)
    assert floor.cash(trusted) == (-350_000, 0)


@pytest.mark.parametrize(
    ("reference", "ask", "protection"),
    [(3_500, None, 3_850), (None, 3_333, 3_500), (3_500, 3_400, 3_570), (3_500, 3_800, 3_850)],
    ids=["band only", "ask only, rounded up", "ask within the band", "band nearer than the ask"],
)
def test_a_market_buy_reserves_at_its_protection_price(floor, reference, ask, protection):
    symbol = floor.stock(reference)
    seller, buyer = floor.broker(**{symbol: 1_000}), floor.broker()
    if ask:
        floor.ask(seller, symbol, 10, ask)
        floor.match(symbol)
    bid = floor.bid(buyer, symbol, 100)
    assert floor.row(bid).protection_price == protection
    assert floor.cash(buyer)[1] == 100 * protection
    floor.match(symbol)
    filled = 10 if ask else 0
    assert floor.stands(bid) == ("expired", filled, 0, 100 - filled)
    assert floor.cash(buyer)[1] == 0


def test_a_market_buy_does_not_reach_beyond_its_protection(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 1_000}), floor.broker()
    near = floor.ask(seller, symbol, 10, 3_400)
    far = floor.ask(seller, symbol, 10, 3_571)
    floor.match(symbol)
    bid = floor.bid(buyer, symbol, 30)
    floor.match(symbol)
    assert floor.trades(symbol) == [(10, 3_400, bid, near)]
    assert floor.stands(far) == ("open", 0, 10, 0)


@pytest.fixture
def after_a_rise(floor):
    """A stock whose band moved up from 31.50 … 38.50 to 34.65 … 42.35 and left an ask of 10 at 32.00 below itself."""
    symbol = floor.stock()
    seller, other = floor.broker(**{symbol: 1_000}), floor.broker()
    floor.ask(seller, symbol, 1, 3_850)
    floor.bid(other, symbol, 1, 3_850)
    left_behind = floor.ask(seller, symbol, 10, 3_200)
    floor.change(symbol, "roll")
    floor.match(symbol)
    assert floor.query("SELECT best_ask FROM stocks WHERE symbol = :s", s=symbol)[0].best_ask == 3_200
    return symbol, seller, left_behind


def test_a_market_buy_is_protected_from_the_best_ask_that_may_trade(floor, after_a_rise):
    symbol, seller, left_behind = after_a_rise
    ask, buyer = floor.ask(seller, symbol, 10, 3_900), floor.broker()
    floor.ask(seller, symbol, 10, 3_950)
    floor.match(symbol)
    bid = floor.bid(buyer, symbol, 10)
    floor.ask(seller, symbol, 10, 3_500)  # comes after it
    assert floor.row(bid).protection_price == 4_095
    floor.match(symbol)
    assert floor.stands(bid) == ("filled", 10, 0, 0)
    assert floor.trades(symbol)[1:] == [(10, 3_900, bid, ask)]
    assert floor.stands(left_behind) == ("cancelled", 0, 0, 10)
    assert floor.cash(buyer) == (MONEY - 39_000, 0)


def test_a_market_buy_where_no_ask_may_trade_is_protected_by_the_band(floor, after_a_rise):
    symbol, seller, left_behind = after_a_rise
    bid = floor.bid(floor.broker(), symbol, 10)
    assert floor.row(bid).protection_price == 4_235
    ask = floor.ask(seller, symbol, 5, 4_200)
    floor.match(symbol)
    assert (floor.stands(bid), floor.stands(ask)) == (("expired", 0, 0, 10), ("open", 0, 5, 0))
    assert floor.stands(left_behind) == ("cancelled", 0, 0, 10)


def test_a_market_buy_without_offer_and_reference_is_refused(floor):
    symbol, buyer = floor.stock(reference=None), floor.broker()
    (refusal,) = floor.place(floor.order(buyer, symbol, "bid", 100, None))
    assert isinstance(refusal, NoReferencePrice)
    assert refusal.code() == "no_reference_price"


def test_a_market_sell_needs_only_the_shares_and_takes_the_bids(floor):
    symbol = floor.stock(reference=None)
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    high, low = floor.bid(buyer, symbol, 30, 3_500), floor.bid(buyer, symbol, 30, 1)
    ask = floor.ask(seller, symbol, 100)
    floor.match(symbol)
    assert floor.trades(symbol) == [(30, 3_500, high, ask), (30, 1, low, ask)]
    assert floor.stands(ask) == ("expired", 60, 0, 40)
    assert floor.shares(seller, symbol) == (40, 0)


LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("price", "quantity", "fields", "refusal"),
    [
        (3_855, 100, {}, PriceOutsideBand),
        (3_145, 100, {}, PriceOutsideBand),
        (3_501, 100, {}, OffTick),
        (3_500, 105, {}, OffLot),
        (2_000_000_000, 10, {}, PriceTooLarge),
        (3_500, 2_000_000_000, {}, QuantityTooLarge),
        (3_500, 1_000_000_000, {}, NotionalTooLarge),
        (3_500, 100, {"valid_until": datetime.now(UTC)}, ValidUntilInThePast),
    ],
)
def test_what_breaks_a_rule_of_the_stock_is_refused_at_entry(floor, price, quantity, fields, refusal):
    symbol, buyer = floor.stock(tick_size=5, lot_size=10), floor.broker()
    floor.market = Market(max_notional=10**12)
    (answer,) = floor.place(floor.order(buyer, symbol, "bid", quantity, price, **fields))
    assert type(answer) is refusal
    assert floor.cash(buyer)[1] == 0


def test_the_band_is_inclusive_and_named_in_the_refusal(floor):
    symbol, buyer = floor.stock(3_333, tick_size=5), floor.broker()
    for price in (3_000, 3_665):
        floor.bid(buyer, symbol, 1, price)
    (refusal,) = floor.place(floor.order(buyer, symbol, "bid", 1, 3_670))
    assert refusal.facts == {"reference_price": 3_333, "lowest_price": 3_000, "highest_price": 3_665}


@pytest.mark.parametrize(("state", "refusal"), [("halted", StockHalted), ("closed", StockClosed)])
def test_a_stock_that_does_not_trade_takes_no_orders(floor, state, refusal):
    symbol, buyer = floor.stock(), floor.broker()
    floor.put_into(symbol, state)
    assert type(floor.place(floor.order(buyer, symbol, "bid", 1, 3_500))[0]) is refusal


def test_an_order_is_stored_as_it_was_asked_for(floor):
    symbol, buyer = floor.stock(), floor.broker()
    until = datetime.now(UTC) + timedelta(days=1, microseconds=1)
    fields = {"valid_until": until, "client_order_id": "a", "self_trade_prevention": "none", "document_number": "7"}
    row = floor.row(floor.bid(buyer, symbol, 10, 3_500, **fields))
    assert (row.valid_until, row.client_order_id, row.time_in_force) == (until, "a", "gtd")
    assert (row.document_number, row.self_trade_prevention) == ("7", "none")
    assert (row.side, row.price, row.quantity, row.remaining_quantity) == ("bid", 3_500, 10, 10)
    assert (row.sequence, row.priority) == (None, None)
    floor.match(symbol)
    row = floor.row(row.id)
    assert (row.valid_until, row.status, row.sequence, row.priority) == (until, "open", 1, 1)


def test_what_fails_later_takes_back_nothing_that_was_placed(floor):
    """The first round is committed before that of the broker who could not pay lately breaks."""
    symbol, memory = floor.stock(), OrderMemory()
    rich, poor = floor.broker(**{symbol: 1}), floor.broker(cash=1)
    memory.doubt([poor], datetime.now(UTC))
    orders = [floor.order(rich, symbol, "bid", 1, 3_500), floor.order(poor, symbol, "bid", 1, 3_500)]
    commits = []

    def commit(work):
        commits.append(work)
        if len(commits) > 1:
            raise ConnectionError("gone")
        return in_transaction(floor.engine, work)

    placed, failed = place_orders(commit, orders, {}, floor.market, datetime.now(UTC), memory=memory)
    assert floor.row(placed.order_id).status == "pending"
    assert isinstance(failed.error, ConnectionError)


def test_a_broker_that_can_pay_for_none_of_its_orders_costs_the_others_no_more_than_one_more_statement(floor):
    symbol = floor.stock()
    rich, poor = floor.broker(**{symbol: 1}), floor.broker(cash=3_500)
    bids = [floor.order(poor, symbol, "bid", 1, 3_500) for _ in range(100)]
    asks = [floor.order(poor, symbol, "ask", 1, 3_500) for _ in range(100)]
    commits = []

    def commit(work):
        commits.append(work)
        return in_transaction(floor.engine, work)

    orders = [*bids, *asks, floor.order(rich, symbol, "bid", 1, 3_500)]
    answers = place_orders(commit, orders, {}, floor.market, datetime.now(UTC))
    assert [n for n, one in enumerate(answers) if isinstance(one, Placed)] == [0, 200]
    assert len(commits) == 2  # the first round, which stored nothing, and the second, in turn


def test_what_stores_orders_is_the_last_statement_of_its_commit(floor):
    """Where one after it failed, the whole would be tried again, and those without a client_order_id stored twice."""
    symbol, memory = floor.stock(), OrderMemory()
    rich, poor, short = floor.broker(), floor.broker(), floor.broker(short_limit=10)
    memory.doubt([poor, short], datetime.now(UTC))
    commits = []

    def commit(work):
        statements = []

        def watched(session):
            execute = session.execute
            session.execute = lambda statement, *values: (
                statements.append(statement.text),
                execute(statement, *values),
            )[1]
            return work(session)

        commits.append(statements)
        return in_transaction(floor.engine, watched)

    orders = [
        floor.order(rich, symbol, "bid", 1, 3_500),
        floor.order(poor, symbol, "bid", 10**6, 3_500),
        floor.order(short, symbol, "ask", 1, 3_500),
        floor.order(short, symbol, "ask", 11, 3_500),
    ]
    placed = place_orders(commit, orders, {}, floor.market, datetime.now(UTC), memory=memory)
    assert [type(answer) for answer in placed] == [Placed, InsufficientFunds, Placed, InsufficientShares]
    storing = [statements for statements in commits if any("INSERT INTO orders" in text for text in statements)]
    assert len(storing) == 2
    assert all("INSERT INTO orders" in statements[-1] for statements in storing)


def test_when_the_first_statement_fails_nothing_is_placed(floor):
    symbol, broker = floor.stock(), floor.broker()

    def commit(work):
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        place_orders(commit, [floor.order(broker, symbol, "bid", 1, 3_500)], {}, floor.market, datetime.now(UTC))
