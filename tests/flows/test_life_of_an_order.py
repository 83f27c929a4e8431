"""One order's whole life: REST, PostgreSQL, RQ, the worker, Redis, the socket."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import socketio

from tests.flows.exchange import OrderedClient, until


def test_a_trade_is_told_to_everybody_whom_it_concerns(exchange):
    seller = exchange.broker("A", positions={"PETR4": 1000})
    buyer = exchange.broker("B", cash=500 * 3600)
    with exchange.socket() as public, exchange.socket(seller.api_key) as own, exchange.socket(buyer.api_key) as other:
        public.subscribe("stock:PETR4", "book:PETR4")
        ask = seller.order("ask", 1000, 3500)
        own.wait_for("ORDER_OPENED")
        (reserved,) = own.wait_for("PORTFOLIO_UPDATED")
        assert reserved["balances"] == [{"asset": "stock", "symbol": "PETR4", "available": 0, "reserved": 1000}]
        bid = buyer.order("bid", 500, 3600, wait=5)

        assert bid["status"] == "filled"
        assert bid["average_price"] == 3500
        assert [(one["price"], one["quantity"]) for one in bid["trades"]] == [(3500, 500)]

        (trade,) = public.wait_for("TRADE_EXECUTED")
        assert (trade["price"], trade["quantity"], trade["aggressor_side"]) == (3500, 500, "bid")
        assert trade["trade_id"] == bid["trades"][0]["trade_id"]
        book = until(
            lambda: next((one for one in public.of("BOOK_SNAPSHOT") if one["sequence"] == trade["sequence"]), None),
            "a snapshot after the trade",
        )
        assert book["asks"] == [{"price": 3500, "total_quantity": 500, "order_count": 1}]

        (filled,) = own.wait_for("ORDER_FILLED")
        assert (filled["order_id"], filled["remaining_quantity"]) == (ask["order_id"], 500)
        balances = other.wait_for("PORTFOLIO_UPDATED")[-1]
        assert {one["asset"]: one["available"] for one in balances["balances"]} == {"cash": 50_000, "stock": 500}
        assert [payload["order_id"] for payload in other.of("ORDER_FILLED")] == [bid["order_id"]]
        assert not public.of("ORDER_FILLED")

    assert buyer.get("/balance")["balance"] == -1_750_000
    assert buyer.get("/balance")["available"] == 50_000
    assert seller.get("/balance")["balance"] == 1_750_000
    assert seller.get(f"/orders/{ask['order_id']}")["remaining_quantity"] == 500
    assert seller.get("/stocks/PETR4/book")["asks"] == [{"price": 3500, "total_quantity": 500, "order_count": 1}]
    assert seller.get("/stocks/PETR4/price")["last_price"] == 3500
    assert seller.call("DELETE", f"/orders/{ask['order_id']}").status_code == 204
    assert seller.get("/stocks/PETR4/book")["asks"] == []
    exchange.verify()


def test_a_market_order_takes_what_is_there_and_rests_never(exchange):
    seller, buyer = exchange.trusted(), exchange.trusted()
    seller.order("ask", 300, 3510, wait=5)
    taken = buyer.order("bid", 500, None, order_type="market", wait=5)
    assert (taken["status"], taken["filled_quantity"], taken["remaining_quantity"]) == ("expired", 300, 0)
    assert buyer.get("/balance")["reserved"] == 0


def test_an_amendment_is_applied_by_the_book(exchange):
    broker = exchange.trusted()
    order = broker.order("bid", 100, 3400, wait=5)
    amended = broker.call("PUT", f"/orders/{order['order_id']}", {"quantity": 250, "price": 3390})
    assert amended.status_code == 200
    assert (amended.json()["price"], amended.json()["remaining_quantity"]) == (3390, 250)
    assert broker.get("/balance")["reserved"] == 250 * 3390
    assert broker.call("POST", f"/orders/{order['order_id']}/cancel").status_code == 204
    assert broker.get("/balance")["reserved"] == 0


def test_an_order_expires_by_the_clock_and_trades_no_more(exchange):
    maker, taker = exchange.trusted(), exchange.trusted()
    until_then = (datetime.now(UTC) + timedelta(seconds=1.5)).isoformat()
    with exchange.socket(maker.api_key) as own:
        order = maker.order("ask", 100, 3600, valid_until=until_then, wait=5)
        assert (order["status"], order["time_in_force"]) == ("open", "gtd")
        (expired,) = own.wait_for("ORDER_EXPIRED")
    assert expired["order_id"] == order["order_id"]
    assert taker.order("bid", 100, 3600, time_in_force="ioc", wait=5)["filled_quantity"] == 0
    assert maker.get("/portfolio")["positions"] == []


def test_nobody_hears_anothers_room_and_no_foreign_page_connects(exchange):
    broker, stranger = exchange.trusted(), exchange.trusted()
    with exchange.socket(stranger.api_key) as other:
        answer = other.subscribe(f"user:{broker.broker_id}", "stock:NONE1")
        assert answer == {"channels": {}, "unknown": [f"user:{broker.broker_id}", "stock:NONE1"]}
        order = broker.order("bid", 100, 3300, wait=5)
        time.sleep(0.3)
        assert not other.heard
    broker.call("DELETE", f"/orders/{order['order_id']}")

    client = OrderedClient(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(exchange.live_base, headers={"Origin": "https://elsewhere.example"}, transports=["websocket"])
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(exchange.live_base, auth={"api_key": "mx_wrong"}, transports=["websocket"])


def test_a_revoked_key_loses_its_socket(exchange):
    broker = exchange.trusted()
    with exchange.socket(broker.api_key) as listener:
        assert listener.client.connected
        with exchange.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE api_keys SET revoked_at = now() WHERE broker_id = %s", (broker.broker_id,)
            )
        until(lambda: not listener.client.connected, "the socket is closed")
