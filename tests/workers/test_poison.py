"""What nobody can read, in the inbox and in the tables: refused alone, or set aside with its stock alone."""

import json
from functools import partial

import pytest

from database.session import transaction
from services.matching.books import StuckStock
from services.verify import verify

GOOD = {
    "document": "1",
    "side": "bid",
    "type": "limit",
    "tif": "gtc",
    "price": 1000,
    "quantity": 100,
    "expire_at": None,
    "stp": None,
}


def without(name):
    return json.dumps({key: value for key, value in GOOD.items() if key != name})


def with_(**values):
    return json.dumps({**GOOD, **values})


UNREADABLE = {
    "an empty object": "{}",
    "no object": "[]",
    "null": "null",
    "a number": "7",
    "a side that is none": with_(side="up"),
    "a side that is a list": with_(side=["bid"]),
    "a price that is a word": with_(price="dear"),
    "a price that is a fraction": with_(price=10.5),
    "a price that is true": with_(price=True),
    "a price of nothing": with_(price=0),
    "a price of 2^70": with_(price=2**70),
    "a quantity of 2^63": with_(quantity=2**63),
    "a quantity below zero": with_(quantity=-1),
    "a type that is none": with_(type="swap"),
    "a time in force that is none": with_(tif=None),
    "a time beyond all calendars": with_(expire_at=2**62),
    "an expiry that is a word": with_(expire_at="tomorrow"),
    "a prevention that is none": with_(stp="always"),
    "an iceberg that shows a word": with_(display_quantity="all"),
    "a stop that is a list": with_(stop_price=[1]),
    "no document": without("document"),
    "no expiry": without("expire_at"),
    "a NUL and half a character": '{"side": "\\u0000", "document": "\\ud800"}',
    "half a character": with_(document="A").replace("A", "\\ud800"),
    "very deep": "[" * 5_000 + "]" * 5_000,
    "deeper than anybody reads": '{"side": ' + "[" * 20_000 + "]" * 20_000 + "}",
}


def spoil(exchange, order, payload):
    """Put this payload in the place of the order's own."""
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql("SET max_stack_depth = '7MB'")
        connection.exec_driver_sql("UPDATE commands SET payload = %s WHERE order_id = %s", (payload, order))


def reserved_for(exchange, order):
    ((left,),) = exchange.rows(
        "SELECT sum(CASE WHEN kind = 'reserve' THEN amount ELSE -amount END) FROM transfers WHERE order_id = :id",
        id=order,
    )
    return left


def findings(exchange):
    with transaction(exchange.engine) as session:
        report = verify(session, replay=True)
    return [str(finding) for check in report.checks for finding in check.findings]


def match_all(exchange, *symbols):
    matcher = exchange.matcher()
    while matcher.run_once(symbols):
        continue


@pytest.fixture
def drain(exchange):
    return partial(match_all, exchange)


@pytest.mark.parametrize("payload", UNREADABLE.values(), ids=UNREADABLE)
def test_an_order_that_cannot_be_read_is_refused_alone(exchange, drain, payload):
    name = f"P{list(UNREADABLE.values()).index(payload)}"
    stock, other = exchange.list(f"{name}A"), exchange.list(f"{name}B")
    before, bad = exchange.place(stock, "ask", 1000), exchange.place(stock, "bid", 1000)
    after, elsewhere = exchange.place(stock, "ask", 1001, document="2"), exchange.place(other, "bid", 1000)
    spoil(exchange, bad, payload)
    drain(stock, other)
    assert exchange.statuses(before, bad, after, elsewhere) == ["open", "rejected", "open", "open"]
    ((refused, error),) = exchange.rows("SELECT refused, error FROM commands WHERE order_id = :id", id=bad)
    assert refused == "internal_error"
    assert error.startswith("Traceback")
    assert reserved_for(exchange, bad) == 0


def test_what_was_refused_so_leaves_sound_books_and_a_journal_that_can_be_replayed(exchange, drain):
    stock = exchange.list("PALL")
    orders = {name: exchange.place(stock, "bid", 1000) for name in UNREADABLE}
    for name, order in orders.items():
        spoil(exchange, order, UNREADABLE[name])
    good = exchange.place(stock, "bid", 1000)
    drain(stock)
    assert exchange.statuses(*orders.values(), good) == ["rejected"] * len(orders) + ["open"]
    assert findings(exchange) == []


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("state", '{"state": "abroad", "reason": null}'),
        ("state", '{"state": "halted", "reason": "\\u0000"}'),
        ("state", '{"state": "halted", "reason": null, "only_from": 5}'),
        ("state", '{"state": "halted", "reason": null, "only_from": [[]]}'),
        ("amend", "{}"),
        ("amend", '{"price": "x", "quantity": 100}'),
    ],
)
def test_a_command_of_another_kind_that_cannot_be_carried_out_is_refused_alone(exchange, drain, kind, payload):
    stock = exchange.list(f"K{abs(hash((kind, payload))) % 10**8}")
    resting = exchange.place(stock, "bid", 1000)
    drain(stock)
    ((stock_id,),) = exchange.rows("SELECT id FROM stocks WHERE symbol = :symbol", symbol=stock)
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO commands (stock_id, kind, order_id, broker_id, payload) VALUES (%s, %s, %s, %s, %s)",
            (stock_id, kind, resting, exchange.broker_id, payload),
        )
    after = exchange.place(stock, "bid", 1001)
    drain(stock)
    assert exchange.statuses(resting, after) == ["open", "open"]
    assert exchange.rows("SELECT state FROM stocks WHERE id = :id", id=stock_id) == [("open",)]
    assert reserved_for(exchange, resting) == 100_000
    assert findings(exchange) == []


def test_a_stock_whose_book_contradicts_the_tables_is_named_and_costs_no_command(exchange):
    stock, other = exchange.list("STUCK1"), exchange.list("STUCK2")
    first, second = exchange.place(stock, "bid", 1000), exchange.place(stock, "bid", 1000)
    exchange.matcher().run_once([stock])
    later, elsewhere = exchange.place(stock, "bid", 1000), exchange.place(other, "bid", 1000)
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE orders SET time_in_force = 'ioc' WHERE id = %s", (first,))
    matcher = exchange.matcher()
    with pytest.raises(StuckStock) as stuck:
        matcher.run_once([stock, other])
    assert stuck.value.symbol == stock
    assert matcher.run_once([other]) is False
    assert exchange.statuses(later, elsewhere) == ["pending", "open"]
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE orders SET time_in_force = 'gtc' WHERE id = %s", (first,))
    assert matcher.run_once([stock]) is False
    assert exchange.statuses(first, second, later) == ["open"] * 3


def test_a_command_that_cannot_even_be_refused_names_its_stock(exchange):
    """Releasing what it had reserved would break the balance: that is for an operator to look at."""
    stock = exchange.list("STUCK3")
    order = exchange.place(stock, "ask", 1000)
    held = "FROM balances b JOIN stocks s ON s.id = b.asset_id WHERE s.symbol = 'STUCK3'"
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE balances SET reserved = 0 WHERE asset_id = (SELECT b.asset_id {held})")
    spoil(exchange, order, "{}")
    with pytest.raises(StuckStock) as stuck:
        exchange.matcher().run_once([stock])
    assert stuck.value.symbol == stock
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE balances SET reserved = 100 WHERE asset_id = (SELECT b.asset_id {held})")
    exchange.matcher().run_once([stock])
    assert exchange.statuses(order) == ["rejected"]


def test_a_second_command_that_brings_the_same_order_leaves_the_order_as_it_is(own_exchange):
    exchange = own_exchange
    stock = exchange.list("BROUGHT1")
    resting = exchange.place(stock, "bid", 1000)
    match_all(exchange, stock)
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO commands (stock_id, kind, order_id, broker_id, payload)"
            " SELECT stock_id, kind, order_id, broker_id, payload FROM commands WHERE order_id = %s",
            (resting,),
        )
    after = exchange.place(stock, "bid", 1001)
    match_all(exchange, stock)
    assert exchange.statuses(resting, after) == ["open", "open"]
    assert reserved_for(exchange, resting) == 100_000
