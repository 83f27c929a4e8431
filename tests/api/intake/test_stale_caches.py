"""Two web processes: what one of them still remembers refuses nothing that the exchange allows by now."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.venue import Caller, Venue, an_order, settings_for

LONG_MS = 5_000
"""The longest that keys may be believed; rules are believed for a second, which a test does not last."""


@pytest.fixture(scope="module")
def processes(database_url: str, redis_url: str) -> Iterator[tuple[Venue, Venue]]:
    """The process that changes something, and one that does not hear of it."""
    settings = settings_for(database_url, redis_url, web={"key_cache_ms": LONG_MS, "cancel_wait_ms": 300})
    venues = Venue(settings), Venue(settings)
    yield venues
    for venue in venues:
        venue.close()


def elsewhere(venue: Venue, caller: Caller) -> Caller:
    """The same broker, who sends to another process."""
    return Caller(venue, caller.key, caller.broker_id)


def code_of(caller: Caller, **order: object) -> tuple[int, str | None]:
    answer = caller.post("/orders", an_order(**order))
    return answer.status_code, answer.json.get("code")


def put_into(venue: Venue, symbol: str, state: str) -> None:
    with venue.matching():
        body = {"state": state, "reason": "test"}
        assert venue.admin.post(f"/stocks/{symbol}/state", body, Prefer="wait=5").status_code == 200


def test_the_band_follows_the_last_trade_at_once(processes: tuple[Venue, Venue]) -> None:
    here, there = processes
    symbol = here.list(reference_price=1_000, band=1_000, band_reference="last")
    seller = here.broker(shares={symbol: 1_000})
    buyer = elsewhere(there, here.broker())
    assert code_of(buyer, symbol=symbol, quantity=1, price=1_150) == (422, "price_outside_band")
    seller.order("ask", symbol, 1, 1_100)
    here.broker().order("bid", symbol, 1, 1_100)
    here.match()
    for caller in (buyer, elsewhere(here, buyer)):
        assert code_of(caller, symbol=symbol, quantity=1, price=1_150) == (201, None)
    assert code_of(buyer, symbol=symbol, quantity=1, price=1_250) == (422, "price_outside_band")


def test_a_stock_that_opened_takes_what_an_auction_refuses(processes: tuple[Venue, Venue]) -> None:
    here, there = processes
    symbol = here.list()
    buyer = elsewhere(there, here.broker())
    put_into(here, symbol, "auction")
    assert code_of(buyer, symbol=symbol, post_only=True) == (409, "not_in_auction")
    put_into(here, symbol, "open")
    assert code_of(buyer, symbol=symbol, post_only=True) == (201, None)


@pytest.mark.parametrize(("state", "code"), [("halted", "stock_halted"), ("closed", "stock_closed")])
def test_a_stock_that_goes_on_takes_orders_in_every_process(
    processes: tuple[Venue, Venue], state: str, code: str
) -> None:
    here, there = processes
    symbol = here.list()
    buyer = elsewhere(there, here.broker())
    put_into(here, symbol, state)
    assert code_of(buyer, symbol=symbol) == (409, code)
    put_into(here, symbol, "open")
    assert code_of(buyer, symbol=symbol) == (201, None)
    answer = buyer.post("/orders/batch", {"orders": [an_order(symbol=symbol)] * 2})
    assert [one["status"] for one in answer.json["results"]] == [201, 201]


def test_a_stock_that_was_listed_just_now_is_known(processes: tuple[Venue, Venue]) -> None:
    here, there = processes
    buyer = elsewhere(there, here.broker())
    assert code_of(buyer, symbol="NEWCOMER") == (404, "unknown_stock")
    here.list(symbol="NEWCOMER")
    assert code_of(buyer, symbol="NEWCOMER") == (201, None)


def test_a_broker_that_was_activated_trades_in_every_process(processes: tuple[Venue, Venue]) -> None:
    here, there = processes
    symbol, broker = here.list(), here.broker()
    trader = elsewhere(there, broker)
    order_id = trader.order("bid", symbol, 1, 3_500)
    assert here.admin.post(f"/brokers/{broker.broker_id}/suspend").status_code == 200
    there.components.keys.forget()
    assert code_of(trader, symbol=symbol) == (403, "broker_suspended")
    assert here.admin.post(f"/brokers/{broker.broker_id}/activate").status_code == 200
    assert code_of(trader, symbol=symbol) == (201, None)
    assert here.admin.post(f"/brokers/{broker.broker_id}/suspend").status_code == 200
    there.components.keys.forget()
    assert trader.put(f"/orders/{order_id}", {"price": 3_400}).json["code"] == "broker_suspended"
    assert here.admin.post(f"/brokers/{broker.broker_id}/activate").status_code == 200
    assert trader.put(f"/orders/{order_id}", {"price": 3_400}).status_code in (200, 202, 409)
