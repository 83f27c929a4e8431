"""Given orders that live and end, when their owners look back, then each was told everything once, in order."""

from database.session import transaction
from services.accounts.read_fills import read_fills, read_fills_after
from services.order_entry.read_orders import read_order
from tests.services.floor import MONEY


def told(floor, broker):
    """(sequence, kind, order, filled, remaining, without a trade, why) of each event, as it was kept."""
    rows = floor.query("SELECT * FROM account_events WHERE broker_id = :id ORDER BY sequence", id=broker)
    return [
        (
            row.sequence,
            row.kind,
            row.order_id,
            row.filled_quantity,
            row.remaining_quantity,
            row.event_quantity,
            row.reason,
        )
        for row in rows
    ]


def fills(floor, broker, after):
    with transaction(floor.engine) as session:
        return read_fills_after(session, broker, after, 100)


def test_everything_that_happens_to_ones_orders_has_a_number(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    ask = floor.ask(seller, symbol, 50, 3_500)
    first, second = floor.bid(buyer, symbol, 20, 3_500), floor.bid(buyer, symbol, 5, 3_400)
    floor.match(symbol)
    floor.amend(buyer, second, quantity=4)
    floor.match(symbol)
    floor.cancel(buyer, second)
    late = floor.bid(buyer, symbol, 40, 3_500, time_in_force="ioc")
    floor.match(symbol)
    assert told(floor, buyer) == [
        (1, "ORDER_OPENED", first, 0, 20, None, None),
        (2, "ORDER_FILLED", first, 20, 0, None, None),
        (3, "ORDER_OPENED", second, 0, 5, None, None),
        (4, "ORDER_AMENDED", second, 0, 4, None, "kept_priority"),
        (5, "ORDER_CANCELLED", second, 0, 0, 4, "requested"),
        (6, "ORDER_OPENED", late, 0, 40, None, None),
        (7, "ORDER_FILLED", late, 30, 10, None, None),
        (8, "ORDER_EXPIRED", late, 30, 0, 10, None),
    ]
    assert [(kind, filled) for _, kind, order, filled, *_ in told(floor, seller)] == [
        ("ORDER_OPENED", 0), ("ORDER_FILLED", 20), ("ORDER_FILLED", 50),
    ]  # fmt: skip
    assert {order for _, _, order, *_ in told(floor, seller)} == {ask}


def test_messages_carry_the_numbers_that_are_kept(floor):
    symbol, other = floor.stock(), floor.stock()
    seller, buyer = floor.broker(**{symbol: 100, other: 100}), floor.broker()
    for stock in (symbol, other):
        floor.ask(seller, stock, 10, 3_500)
        floor.bid(buyer, stock, 4, 3_500)
        floor.bid(buyer, stock, 3, 3_500)
    turn = floor.match()
    for broker in (seller, buyer):
        own = [one for one in turn.messages if one.room == ("user", broker) and one.event != "PORTFOLIO_UPDATED"]
        sent = [(one.payload["account_sequence"], one.event, one.payload["order_id"]) for one in own]
        assert sent == [(number, kind, order) for number, kind, order, *_ in told(floor, broker)]
        assert [number for number, *_ in sent] == list(range(1, len(sent) + 1))
        filled = [one.payload for one in own if one.event == "ORDER_FILLED"]
        kept = {(row["account_sequence"], row["trade_id"], row["executed_at"]) for row in fills(floor, broker, 0)}
        assert {(one["account_sequence"], one["trade_id"], one["executed_at"]) for one in filled} == kept


def test_a_fill_that_was_missed_is_found_by_its_number(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.ask(seller, symbol, 100, 3_500)
    for quantity in (1, 2, 3):
        floor.bid(buyer, symbol, quantity, 3_500)
        floor.match(symbol)
    everything = fills(floor, buyer, 0)
    assert [one["quantity"] for one in everything] == [1, 2, 3]
    assert fills(floor, buyer, everything[0]["account_sequence"]) == everything[1:]
    assert fills(floor, buyer, everything[-1]["account_sequence"]) == []
    with transaction(floor.engine) as session:
        assert read_fills(session, buyer, 2**62, 100) == everything[::-1]


def test_a_broker_on_both_sides_of_a_trade_has_two_fills(floor):
    symbol = floor.stock()
    both = floor.broker(**{symbol: 100})
    ask = floor.ask(both, symbol, 10, 3_500, document_number="1")
    bid = floor.bid(both, symbol, 10, 3_500, document_number="2")
    floor.match(symbol)
    found = fills(floor, both, 0)
    assert {(one["order_id"], one["side"]) for one in found} == {(ask, "ask"), (bid, "bid")}
    assert len({one["trade_id"] for one in found}) == 1
    with transaction(floor.engine) as session:
        for order in (ask, bid):
            (fill,) = read_order(session, both, order)["trades"]
            assert fill in [{name: one[name] for name in fill} for one in found]


def test_what_is_only_told_leaves_the_money_alone_and_is_not_called_a_change_of_it(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.ask(seller, symbol, 10, 3_500)
    turn = floor.match(symbol)
    (changes,) = [one.payload["balances"] for one in turn.messages if one.event == "PORTFOLIO_UPDATED"]
    assert [one["symbol"] for one in changes] == [symbol]
    assert floor.cash(seller) == (MONEY, 0)
    assert floor.cash(buyer) == (MONEY, 0)


def test_two_workers_give_a_broker_no_number_twice(floor):
    """Stocks of two groups, one broker: the balance's own statement numbers, whoever commits first."""
    stocks = [floor.stock() for _ in range(2)]
    buyer = floor.broker()
    for _ in range(3):
        for symbol in stocks:
            floor.bid(buyer, symbol, 1, 3_500)
        for symbol in stocks:
            floor.match(symbol)
    assert [number for number, *_ in told(floor, buyer)] == [1, 2, 3, 4, 5, 6]
