"""Given brokers with hooks, when their orders trade, then each fill has its delivery, in the same transaction."""

import pytest

from database.session import transaction
from services.settlement.account_events import brokers_to_tell
from services.webhooks.subscriptions import delete_webhook, set_webhook


def hooked(floor, **wanted):
    """A broker with a hook for trades."""
    broker = floor.broker(**wanted)
    hook(floor, broker)
    return broker


def hook(floor, broker, events=("trade_executed",), *, enabled=True):
    with transaction(floor.engine) as session:
        return set_webhook(session, broker, "https://receiver.example/", events, enabled=enabled)


def deliveries(floor, broker):
    """(sequence, event, account_sequence, status) of each delivery."""
    rows = floor.query("SELECT * FROM webhook_deliveries WHERE broker_id = :id ORDER BY sequence", id=broker)
    return [(row.sequence, row.event, row.account_sequence, row.status) for row in rows]


def fills(floor, broker):
    """The account sequences of the broker's fills."""
    statement = "SELECT sequence FROM account_events WHERE broker_id = :id AND trade_id IS NOT NULL ORDER BY sequence"
    return [row.sequence for row in floor.query(statement, id=broker)]


def test_each_fill_of_a_hooked_broker_has_one(floor):
    symbol = floor.stock()
    seller, buyer, other = hooked(floor, **{symbol: 100}), hooked(floor), floor.broker()
    floor.ask(seller, symbol, 50, 3_500)
    for broker, quantity in ((buyer, 5), (other, 6), (buyer, 7)):
        floor.bid(broker, symbol, quantity, 3_500)
    turn = floor.match(symbol)
    assert brokers_to_tell(turn.settled.outcome) == {seller, buyer}
    floor.bid(buyer, symbol, 32, 3_500)
    floor.match(symbol)
    for broker, count in ((seller, 4), (buyer, 3)):
        expected = [(number, "trade_executed", at, "pending") for number, at in enumerate(fills(floor, broker), 1)]
        assert deliveries(floor, broker) == expected
        assert len(expected) == count
    assert deliveries(floor, other) == []


def test_who_trades_with_himself_is_told_of_both_orders(floor):
    symbol = floor.stock(self_trade_prevention="none")
    broker = hooked(floor, **{symbol: 100})
    floor.ask(broker, symbol, 10, 3_500)
    floor.bid(broker, symbol, 10, 3_500)
    floor.match(symbol)
    assert [at for _, _, at, _ in deliveries(floor, broker)] == fills(floor, broker)
    assert len(fills(floor, broker)) == 2


def test_what_brings_no_trade_brings_none(floor):
    symbol = floor.stock()
    broker = hooked(floor)
    order = floor.bid(broker, symbol, 10, 3_500)
    floor.match(symbol)
    floor.cancel(broker, order)
    turn = floor.match(symbol)
    assert brokers_to_tell(turn.settled.outcome) == set()
    assert deliveries(floor, broker) == []


@pytest.mark.parametrize("how", ["by hand", "for busts alone", "deleted"])
def test_a_hook_that_is_off_or_for_something_else_gets_none(floor, how):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), hooked(floor)
    floor.ask(seller, symbol, 50, 3_500)
    floor.bid(buyer, symbol, 1, 3_500)
    floor.match(symbol)
    if how == "deleted":
        with transaction(floor.engine) as session:
            assert delete_webhook(session, buyer)
    else:
        events = ("trade_busted",) if how == "for busts alone" else ("trade_executed",)
        hook(floor, buyer, events, enabled=how != "by hand")
    floor.bid(buyer, symbol, 2, 3_500)
    turn = floor.match(symbol)
    assert brokers_to_tell(turn.settled.outcome) == set()
    hook(floor, buyer)
    floor.bid(buyer, symbol, 3, 3_500)
    floor.match(symbol)
    first, _, last = fills(floor, buyer)
    assert deliveries(floor, buyer) == [
        (1, "trade_executed", first, "pending"), (2, "trade_executed", last, "pending"),
    ]  # fmt: skip


def test_many_fills_of_one_turn_are_numbered_in_their_order(floor):
    symbol = floor.stock()
    sellers = [hooked(floor, **{symbol: 100}) for _ in range(3)]
    buyer = hooked(floor)
    for number in range(60):
        floor.ask(sellers[number % 3], symbol, 1, 3_500 + number % 7)
    floor.bid(buyer, symbol, 60, 3_600)
    floor.match(symbol)
    assert len(fills(floor, buyer)) == 60
    for broker in (buyer, *sellers):
        found = deliveries(floor, broker)
        assert [number for number, *_ in found] == list(range(1, len(found) + 1))
        assert [at for _, _, at, _ in found] == fills(floor, broker)
