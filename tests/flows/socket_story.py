"""A story in which every Socket.IO event happens once at least."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from sqlalchemy import text

from tests.flows.exchange import Broker, RunningExchange, until

CHANNELS = ("stock:PETR4", "book:PETR4", "candles:PETR4:1m")


def tell(exchange: RunningExchange, admin_key: str) -> Iterator[tuple[str, Any]]:
    """What is heard of PETR4, and by one of two brokers of his own orders, as (event, payload)."""
    broker, other = exchange.trusted(), exchange.trusted()
    with exchange.socket(broker.api_key) as own, exchange.socket() as public:
        public.subscribe(*CHANNELS, "prices")
        _orders(broker, other)
        own.wait_for("ORDER_EXPIRED")
        for state in ("auction", "open"):
            _change_state(exchange, admin_key, state)
            if state == "auction":
                broker.order("bid", 60, 3500, wait=5)
                other.order("ask", 40, 3490, wait=5)
                public.wait_for("INDICATIVE")
        public.wait_for("STOCK_STATE", 2)
        for event in ("BOOK_DELTA", "PRICE", "CANDLE", "HEARTBEAT"):
            public.wait_for(event)
        with exchange.engine.begin() as connection:
            connection.execute(text("UPDATE epochs SET word = DEFAULT"))  # as where an older database was brought back
        public.wait_for("RESET")
        with exchange.engine.begin() as connection:
            statement = text("UPDATE api_keys SET revoked_at = now() WHERE broker_id = :id")
            connection.execute(statement, {"id": broker.broker_id})
        until(lambda: not own.client.connected, "the key is revoked")
        yield from public.heard
        yield from own.heard
    with exchange.socket(_person(exchange, admin_key)) as person:
        person.wait_for("SESSION_ENDING")
        yield from person.heard


def _person(exchange: RunningExchange, admin_key: str) -> str:
    """The access token of somebody who has logged in."""
    logged_in = {"username": "somebody", "password": "six grey geese on a lake"}
    headers = {"Authorization": f"Bearer {admin_key}"}
    body = {**logged_in, "role": "operator"}
    assert requests.post(f"{exchange.base}/api/v1/users", json=body, headers=headers, timeout=30).status_code == 201
    answer = requests.post(f"{exchange.base}/api/v1/token", json=logged_in, timeout=30)
    return str(answer.json()["access_token"])


def snapshots(exchange: RunningExchange) -> Any:
    """The acknowledgement of subscribing to channels of one stock."""
    with exchange.socket() as listener:
        return listener.subscribe(*CHANNELS, "stock:NONE3")


def _orders(broker: Broker, other: Broker) -> None:
    bid = broker.order("bid", 100, 3400, wait=5, client_order_id="bid-1")
    assert broker.call("PUT", f"/orders/{bid['order_id']}", {"quantity": 80}).status_code == 200
    other.order("ask", 30, 3400, wait=5)
    assert broker.call("DELETE", f"/orders/{bid['order_id']}").status_code == 204
    broker.order("bid", 10, None, order_type="stop", stop_price=3450, wait=5)
    other.order("ask", 20, 3450, wait=5)
    broker.order("bid", 10, 3450, wait=5)  # prints at the stop's price, and elects it
    other.order("ask", 10, 3460, wait=5)
    broker.order("bid", 10, 3460, post_only=True, wait=5)
    broker.order("ask", 10, 3600, wait=5)
    broker.order("bid", 10, 3600, self_trade_prevention="cancel_resting", time_in_force="ioc", wait=5)
    broker.order("ask", 10, 3610, wait=5)
    broker.order("bid", 10, 3610, self_trade_prevention="cancel_incoming", wait=5)
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    broker.order("bid", 10, 3300, valid_until=soon, wait=5)


def _change_state(exchange: RunningExchange, admin_key: str, state: str) -> None:
    answer = requests.post(
        f"{exchange.base}/api/v1/stocks/PETR4/state",
        json={"state": state, "reason": "a test of the auction"},
        headers={"Authorization": f"Bearer {admin_key}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
