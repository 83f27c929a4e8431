"""Operators, schedules and switches on running processes: what they ask for reaches the book, and all hear of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests

from settings.sections import DAILY, TradingSchedule
from settings.values import WEEKDAYS
from tests.flows.exchange import RunningExchange, until
from tests.roles import with_roles

ADMIN_KEY = "mxadmin_of_the_flows"


@pytest.fixture
def opened(new_database, settings, own_valkey, tmp_path):
    """Opens an exchange with these hours, on a database of its own."""
    exchanges = []

    def open_with(**hours):
        own = replace(
            settings,
            exchange=replace(settings.exchange, demo=False, admin_key=ADMIN_KEY),
            database=with_roles(settings, new_database()).database,
            session=TradingSchedule(**hours),
        )
        exchange = RunningExchange(own, tmp_path, own_valkey.urls)
        exchanges.append(exchange)
        exchange.list("PETR4")
        exchange.list("VALE3", dynamic_band_bps=200)
        exchange.open()
        return exchange

    yield open_with
    for exchange in exchanges:
        try:
            exchange.verify()
        finally:
            exchange.close()


def operate(exchange, path, body=None):
    answer = requests.post(
        f"{exchange.base}/api/v1{path}", json=body, headers={"Authorization": f"Bearer {ADMIN_KEY}"}, timeout=30
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_auction_from_the_first_order_to_the_last_is_heard_and_seen(opened):
    exchange = opened()
    buyer, seller = exchange.trusted(), exchange.trusted()
    with exchange.socket() as listener:
        listener.subscribe("stock:PETR4")
        operate(exchange, "/stocks/PETR4/state", {"state": "halted", "reason": "news"})
        operate(exchange, "/stocks/PETR4/state", {"state": "auction"})
        refused = buyer.call("POST", "/orders", {**body("bid", 10, 3_500), "time_in_force": "fok"})
        assert refused.status_code in (201, 409)  # entry may believe the old state for a second; the book does not
        seller.order("ask", 100, 3_400, wait=5)
        waiting = buyer.order("bid", 60, None, order_type="market", wait=5)
        assert waiting["status"] == "open"
        assert listener.wait_for("INDICATIVE")[-1]["volume"] == 60
        ack = listener.subscribe("stock:PETR4")
        indicative = {"price": 3_400, "volume": 60, "surplus": -40, "surplus_side": "ask"}
        assert ack["channels"]["stock:PETR4"]["indicative"] == indicative
        operate(exchange, "/stocks/PETR4/state", {"state": "open"})
        states = [(one["state"], one["reason"], one["sequence"]) for one in listener.wait_for("STOCK_STATE", 3)]
        (trade,) = listener.wait_for("TRADE_EXECUTED")
    assert states == [("halted", "news", 1), ("auction", None, 2), ("open", None, 4)]
    assert (trade["price"], trade["quantity"], trade["sequence"]) == (3_400, 60, 3)
    assert buyer.get(f"/orders/{waiting['order_id']}")["status"] == "filled"


def test_a_volatility_auction_is_ended_by_the_clock(opened):
    exchange = opened(volatility_auction_seconds=1)
    buyer, seller = exchange.trusted(), exchange.trusted()
    seller.order("ask", 10, 3_600, "VALE3")
    bid = buyer.order("bid", 10, 3_600, "VALE3", wait=5)
    assert bid["status"] == "open"
    assert buyer.get("/stocks/VALE3")["auction_ends_at"] is not None
    until(lambda: buyer.get("/stocks/VALE3")["state"] == "open", "the auction is over")
    assert buyer.get(f"/orders/{bid['order_id']}")["average_price"] == 3_600


def test_a_broker_that_falls_silent_has_its_orders_cancelled(opened):
    exchange = opened()
    broker = exchange.trusted()
    order = broker.order("bid", 10, 3_400, wait=5)
    assert broker.call("POST", "/orders/cancel-after", {"seconds": 1}).status_code == 200
    until(lambda: broker.get(f"/orders/{order['order_id']}")["status"] == "cancelled", "the switch has fired")


def test_a_suspended_broker_hears_that_its_orders_are_gone(opened):
    exchange = opened()
    broker = exchange.trusted()
    with exchange.socket(broker.api_key) as listener:
        orders = [broker.order("bid", 10, 3_400 - n, wait=5)["order_id"] for n in range(5)]
        operate(exchange, f"/brokers/{broker.broker_id}/suspend")
        assert broker.call("POST", "/orders", body("bid", 10, 3_400)).status_code == 403
        gone = listener.wait_for("ORDER_CANCELLED", len(orders))
    assert sorted(one["order_id"] for one in gone) == orders
    operate(exchange, f"/brokers/{broker.broker_id}/activate")
    broker.order("bid", 10, 3_400)


def test_a_day_of_the_market_passes_by_the_clock_alone(opened):
    now = datetime.now(UTC)
    west = now.hour - 12  # its clocks show noon, so that the day does not end in the midst of the story
    begins = [now - timedelta(hours=west) + timedelta(seconds=seconds) for seconds in (-9, 10, 12, 16, 18)]
    names = ("pre_open", "opening_auction", "open", "closing_auction", "close")
    hours = {name: one.strftime("%H:%M:%S") for name, one in zip(names, begins, strict=True)}
    zone = f"Etc/GMT{west:+d}" if west else "UTC"
    exchange = opened(schedule=DAILY, timezone=zone, days=WEEKDAYS, random_end_seconds=1, **hours)
    buyer, seller = exchange.trusted(), exchange.trusted()
    with exchange.socket() as listener:
        listener.subscribe("stock:PETR4")
        until(lambda: buyer.get("/stocks/PETR4")["state"] in ("pre_open", "auction"), "orders may be entered")
        ask = seller.order("ask", 10, 3_400, time_in_force="day")
        day = buyer.order("bid", 25, 3_400, time_in_force="day")
        until(lambda: "closed" in states_in(listener), "the day is over", 60)
        assert states_in(listener)[-2:] == ["auction", "closed"]
    assert seller.get(f"/orders/{ask['order_id']}")["status"] == "filled"
    left = buyer.get(f"/orders/{day['order_id']}")
    assert (left["status"], left["filled_quantity"]) == ("expired", 10)
    assert buyer.get("/stocks/PETR4")["reference_price"] == 3_400


def states_in(listener):
    """The trading states that the listener has heard of so far."""
    return [one["state"] for one in listener.of("STOCK_STATE")]


def body(side, quantity, price):
    return {"document_number": "1", "side": side, "symbol": "PETR4", "quantity": quantity, "price": price}
