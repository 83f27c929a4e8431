"""Lists in pages: complete, in order, and each page leads to the next."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from tests.api.venue import Caller, Venue


def walk(caller: Caller, path: str, **query: object) -> list[list[dict[str, object]]]:
    """All pages, by their Link."""
    pages = []
    answer = caller.call("GET", path, query_string=query)
    while True:
        assert answer.status_code == 200
        pages.append(answer.json["items"])
        link = answer.headers.get("Link")
        assert (link is None) == (answer.json["next_cursor"] is None)
        if link is None:
            return pages
        target = re.fullmatch(r'</api/v1(.*)>; rel="next"', link)[1]
        assert f"cursor={answer.json['next_cursor']}" in target
        answer = caller.call("GET", target)


@pytest.fixture(scope="module")
def traded(venue: Venue) -> tuple[str, Caller, Caller]:
    """A stock with 7 trades between a buyer with 8 bids and a seller with 7 asks."""
    stock = venue.list(symbol="TRADED")
    buyer, seller = venue.broker(), venue.broker(shares={stock: 1_000})
    for n in range(7):
        buyer.order("bid", stock, 10, 3_500 - n)
        seller.order("ask", stock, 10, 3_400)
        venue.match()
    buyer.order("bid", stock, 10, 3_450)
    venue.match()
    return stock, buyer, seller


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 9, 500])
def test_all_orders_come_once_newest_first(traded: tuple[str, Caller, Caller], limit: int) -> None:
    _, buyer, _ = traded
    pages = walk(buyer, "/orders", limit=limit)
    ids = [order["order_id"] for page in pages for order in page]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 8
    assert all(len(page) == limit for page in pages[:-1])


def test_a_list_has_fifty_unless_asked_otherwise(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker()
    for _ in range(51):
        broker.order("bid", stock, 1, 3_500)
    assert [len(page) for page in walk(broker, "/orders")] == [50, 1]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"status": "filled"}, 7), ({"status": "open"}, 1), ({"status": "rejected"}, 0), ({"symbol": "TRADED"}, 8),
        ({"symbol": "OTHER"}, 0), ({"side": "bid"}, 8), ({"side": "buy"}, 8), ({"side": "sell"}, 0),
        ({"from": "2020-01-01T00:00:00Z"}, 8), ({"to": "2020-01-01T00:00:00Z"}, 0),
        ({"from": "2020-01-01T00:00:00Z", "to": "2090-01-01T00:00:00Z", "status": "filled", "side": "bid"}, 7),
    ],
)  # fmt: skip
def test_orders_can_be_filtered(traded: tuple[str, Caller, Caller], query: dict[str, str], count: int) -> None:
    _, buyer, _ = traded
    assert len([order for page in walk(buyer, "/orders", limit=3, **query) for order in page]) == count


def test_from_is_inclusive_and_to_is_not(traded: tuple[str, Caller, Caller]) -> None:
    _, buyer, _ = traded
    moment = buyer.get("/orders")["items"][3]["created_at"]
    later = buyer.get("/orders", **{"from": moment})["items"]
    earlier = buyer.get("/orders", to=moment)["items"]
    assert (len(later), len(earlier)) == (4, 4)


def test_each_order_in_a_list_is_what_it_is_alone(traded: tuple[str, Caller, Caller]) -> None:
    _, buyer, _ = traded
    for order in buyer.get("/orders")["items"]:
        assert order == buyer.get(f"/orders/{order['order_id']}")


@pytest.mark.parametrize("limit", [1, 3, 500])
def test_own_fills(traded: tuple[str, Caller, Caller], limit: int) -> None:
    stock, buyer, seller = traded
    bought = [fill for page in walk(buyer, "/trades", limit=limit) for fill in page]
    sold = [fill for page in walk(seller, "/trades", limit=limit) for fill in page]
    assert [fill["price"] for fill in bought] == [3_500 - n for n in reversed(range(7))]
    assert [fill["trade_id"] for fill in bought] == [fill["trade_id"] for fill in sold]
    assert {(fill["side"], fill["liquidity"], fill["symbol"]) for fill in bought} == {("bid", "maker", stock)}
    assert {(fill["side"], fill["liquidity"], fill["quantity"]) for fill in sold} == {("ask", "taker", 10)}
    assert {fill["order_id"] for fill in bought}.isdisjoint({fill["order_id"] for fill in sold})


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_who_trades_with_himself_has_both_fills(venue: Venue, limit: int) -> None:
    stock = venue.list(self_trade_prevention="none")
    broker = venue.broker(shares={stock: 10})
    broker.order("ask", stock, 5, 3_500)
    broker.order("bid", stock, 3, 3_500)
    broker.order("bid", stock, 2, 3_500)
    venue.match()
    fills = [fill for page in walk(broker, "/trades", limit=limit) for fill in page]
    assert [(fill["side"], fill["quantity"]) for fill in fills] == [("bid", 2), ("ask", 2), ("bid", 3), ("ask", 3)]


@pytest.mark.parametrize("limit", [1, 3, 500])
def test_the_tape(traded: tuple[str, Caller, Caller], limit: int) -> None:
    stock, buyer, _ = traded
    trades = [trade for page in walk(buyer, f"/stocks/{stock}/trades", limit=limit) for trade in page]
    assert [trade["sequence"] for trade in trades] == [7, 6, 5, 4, 3, 2, 1]
    assert {(trade["aggressor_side"], trade["busted"]) for trade in trades} == {("ask", False)}


@pytest.mark.parametrize(("after", "first"), [(None, 1), (0, 1), (3, 4), (6, 7)])
def test_events_go_on_after_a_sequence(traded: tuple[str, Caller, Caller], after: int | None, first: int) -> None:
    stock, buyer, _ = traded
    query = {} if after is None else {"after": after}
    events = [event for page in walk(buyer, f"/stocks/{stock}/events", limit=2, **query) for event in page]
    assert [event["sequence"] for event in events] == list(range(first, 8))
    assert events[0]["event"] == "TRADE_EXECUTED"
    assert events[0]["payload"]["sequence"] == first
    assert buyer.get(f"/stocks/{stock}/events", after=7)["items"] == []


@pytest.mark.parametrize("limit", [1, 2, 500])
def test_stocks_by_symbol(venue: Venue, limit: int) -> None:
    for symbol in ("ZZ-9", "AA.1", "MM"):
        if symbol not in venue.symbols:
            venue.list(symbol=symbol)
    symbols = [stock["symbol"] for page in walk(venue.admin, "/stocks", limit=limit) for stock in page]
    assert symbols == sorted(venue.symbols)


def test_the_clock(venue: Venue) -> None:
    clock = venue.nobody.get("/time")
    moment = datetime.fromisoformat(clock["time"])
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 5
    assert clock["microseconds"] // 1_000_000 == int(moment.timestamp())


def test_quotes_of_several_stocks_come_in_one_call(venue: Venue) -> None:
    first, second, third = sorted(venue.list(reference_price=1_000) for _ in range(3))
    maker = venue.broker(shares={first: 10, second: 10})
    maker.order("ask", first, 1, 1_010)
    maker.order("bid", second, 1, 990)
    venue.match()
    found = venue.admin.get("/stocks", symbol=[second.lower(), first, "NONE9"])["items"]
    assert [(one["symbol"], one["best_bid"], one["best_ask"]) for one in found] == [
        (first, None, 1_010), (second, 990, None),
    ]  # fmt: skip
    pages = walk(venue.admin, "/stocks", symbol=[first, second, third], limit=2)
    assert [[stock["symbol"] for stock in page] for page in pages] == [[first, second], [third]]
    assert venue.admin.call("GET", "/stocks?symbol=no+symbol").status_code == 422
