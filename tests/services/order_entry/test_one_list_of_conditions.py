"""Given an order with any condition that the engine lists, then the same value reaches everybody who has to know it."""

import pytest

from api.trading.new_order_schemas import NewOrderSchema
from api.trading.order_schemas import OrderSchema
from cli.order_flow.json_commands import read_command
from cli.order_flow.json_fields import FIELDS, InvalidCommand
from database.session import transaction
from engine.terms.orders import BID, CONDITIONS, Order
from models.order import Order as Table
from services.matching.books import Books
from services.matching.journal import command_of
from services.order_entry.read_orders import read_order

VALUES = {"post_only": True, "stop_price": 3_600, "display_quantity": 5}
ABSENT = {name: False if kind is bool else None for name, kind in CONDITIONS.items()}


def test_every_condition_has_its_place_in_each_of_the_lists():
    for name in CONDITIONS:
        assert name in VALUES
        assert name in NewOrderSchema().fields
        assert name in OrderSchema().fields
        assert name in FIELDS["new"]
        assert name in Table.__table__.columns


@pytest.mark.parametrize("name", sorted(CONDITIONS))
def test_a_condition_reaches_row_journal_answer_and_a_rebuilt_book(floor, name):
    symbol, broker = floor.stock(), floor.broker()
    kind = {"order_type": "stop_limit"} if name == "stop_price" else {}
    order_id = floor.bid(broker, symbol, 10, 3_500, **kind, **{name: VALUES[name]})
    (command,) = floor.query("SELECT *, CAST(payload AS text) AS payload FROM commands WHERE order_id = :o", o=order_id)
    floor.match(symbol)
    with transaction(floor.engine) as session:
        (stock,) = floor.query("SELECT * FROM stocks WHERE symbol = :symbol", symbol=symbol)
        resting = Books().current(session, [stock])[stock.id].orders[order_id]
        answer = read_order(session, broker, order_id)
    for seen in (floor.row(order_id)._mapping, command_of(command).order, resting, answer):
        got = {other: seen[other] if hasattr(seen, "keys") else getattr(seen, other) for other in CONDITIONS}
        assert got == {**ABSENT, name: VALUES[name]}


@pytest.mark.parametrize("name", sorted(CONDITIONS))
def test_simulate_reads_it_and_refuses_what_it_cannot_be(name):
    fields = {"cmd": "new", "id": 1, "side": "bid", "price": 3_500, "quantity": 10, name: VALUES[name]}
    assert getattr(read_command(fields).order, name) == VALUES[name]
    with pytest.raises(InvalidCommand, match=f"invalid_{name}"):
        read_command({**fields, name: "yes"})


def test_an_order_without_conditions_has_none_of_them():
    order = Order(1, None, BID, "limit", 1_000, 5)
    assert {name: getattr(order, name) for name in CONDITIONS} == ABSENT
