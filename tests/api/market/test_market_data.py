"""What everybody with a key may know of a stock."""

from __future__ import annotations

import pytest

from queues.book_cache import BookCache
from tests.api.venue import Caller, Venue


def test_a_stock_says_how_it_trades(venue: Venue) -> None:
    stock = venue.list(reference_price=1_005, tick_size=5, lot_size=100, band=500)
    shown = venue.broker().get(f"/stocks/{stock}")
    listed_at = shown["since"]
    assert shown == {
        "symbol": stock,
        "name": stock,
        "state": "open",
        "state_reason": None,
        "state_since": None,
        "since": listed_at,
        "reason": None,
        "set_by": "schedule",
        "until": None,
        "next_state": None,
        "band_low": 955,
        "band_high": 1_055,
        "auction_ends_at": None,
        "indicative": None,
        "currency": "BRL",
        "price_scale": 2,
        "tick_size": 5,
        "lot_size": 100,
        "smallest_quantity": 100,
        "largest_quantity": 1_000_000_000,
        "band": 500,
        "band_reference": "session",
        "dynamic_band": 0,
        "reference_price": 1_005,
        "lowest_price": 955,
        "highest_price": 1_055,
        "last_price": None,
        "best_bid": None,
        "best_ask": None,
        "execution_price": "maker",
        "self_trade_prevention": "cancel_resting",
        "group": "A",
        "market": "main",
    }


def test_a_stock_without_a_reference_has_no_band_yet(venue: Venue) -> None:
    shown = venue.broker().get(f"/stocks/{venue.list(reference_price=None)}")
    assert (shown["reference_price"], shown["lowest_price"], shown["highest_price"]) == (None, 1, 1_000_000_000)


def test_a_stock_is_listed_in_no_group_that_nobody_matches(venue: Venue) -> None:
    answer = venue.admin.post("/stocks", {"symbol": "NOBODYS", "group": "B"})
    assert (answer.status_code, answer.json["errors"]) == (422, {"group": ["Must be one of: A."]})


class TestPrice:
    """The last price, and the mean of the last trades."""

    def test_of_a_stock_that_never_traded(self, venue: Venue) -> None:
        stock = venue.list()
        nothing = {"symbol": stock, "last_price": None, "average_price": None, "trades_in_average": 0}
        assert venue.broker().get(f"/stocks/{stock}/price") == nothing

    def test_counts_each_trade_alike_and_busted_ones_not(self, venue: Venue) -> None:
        stock = venue.list()
        broker = venue.broker(shares={stock: 1_000})
        for price, quantity in ((3_400, 500), (3_500, 1), (3_550, 1), (3_551, 1)):
            broker.order("ask", stock, quantity, price, document_number="1")
            broker.order("bid", stock, quantity, price, document_number="2")
        venue.match()
        price = broker.get(f"/stocks/{stock}/price", trades=3)
        assert price == {"symbol": stock, "last_price": 3_551, "average_price": 3_533.6667, "trades_in_average": 3}
        assert broker.get(f"/stocks/{stock}/price")["average_price"] == 3_500.25
        venue.run("UPDATE trades SET busted_at = now() WHERE price = 3551")
        assert broker.get(f"/stocks/{stock}/price", trades=2)["average_price"] == 3_525

    @pytest.mark.parametrize("trades", [1, 1_000])
    def test_of_one_to_a_thousand_trades(self, venue: Venue, trades: int) -> None:
        assert venue.broker().get(f"/stocks/{venue.list()}/price", trades=trades)["trades_in_average"] == 0

    @pytest.mark.parametrize("trades", [0, 1_001, -1])
    def test_of_no_other_number(self, venue: Venue, trades: int) -> None:
        answer = venue.broker().call("GET", f"/stocks/{venue.list()}/price?trades={trades}")
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["trades"])


class TestBook:
    """Levels from the worker's snapshot where it is current, else from the open orders: always the same."""

    @pytest.fixture
    def deep(self, venue: Venue) -> tuple[str, Caller]:
        """A book of 60 levels a side, three orders on the best ones."""
        stock = venue.list(reference_price=10_000, band=9_000)
        broker = venue.broker(cash=10**12, shares={stock: 100_000}, short_limit=0)
        for n in range(60):
            broker.order("bid", stock, 10, 9_900 - n)
            broker.order("ask", stock, 20, 10_100 + n)
        broker.order("bid", stock, 5, 9_900)
        broker.order("bid", stock, 7, 9_900)
        venue.match()
        return stock, broker

    def test_shows_the_best_levels_first(self, venue: Venue, deep: tuple[str, Caller]) -> None:
        stock, broker = deep
        book = broker.get(f"/stocks/{stock}/book", depth=2)
        assert book == {
            "symbol": stock,
            "epoch": venue.nobody.get("/config")["epoch"],
            "depth": 2,
            "book_sequence": 1,
            "sequence": 0,
            "bids": [
                {"price": 9_900, "total_quantity": 22, "order_count": 3},
                {"price": 9_899, "total_quantity": 10, "order_count": 1},
            ],
            "asks": [
                {"price": 10_100, "total_quantity": 20, "order_count": 1},
                {"price": 10_101, "total_quantity": 20, "order_count": 1},
            ],
        }
        assert [len(broker.get(f"/stocks/{stock}/book")[side]) for side in ("bids", "asks")] == [10, 10]

    @pytest.mark.parametrize("depth", [1, 10, 50])
    def test_is_the_same_with_and_without_the_snapshot(
        self, venue: Venue, deep: tuple[str, Caller], depth: int
    ) -> None:
        stock, broker = deep
        assert BookCache(venue.components.redis).get(stock)["version"] == venue.scalar(
            "SELECT book_version FROM stocks WHERE symbol = :symbol", symbol=stock
        )
        cached = broker.get(f"/stocks/{stock}/book", depth=depth)
        venue.components.redis.flushall()
        venue.components.books.forget()
        assert broker.get(f"/stocks/{stock}/book", depth=depth) == cached
        assert len(cached["bids"]) == depth

    def test_is_answered_as_before_until_it_changes(
        self, venue: Venue, deep: tuple[str, Caller], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stock, broker = deep
        path = f"/stocks/{stock}/book"
        first = {depth: broker.get(path, depth=depth) for depth in (1, 10)}
        asked: list[object] = []
        monkeypatch.setattr(BookCache, "get", lambda _, symbol: asked.append(symbol))
        assert {depth: broker.get(path, depth=depth) for depth in (1, 10)} == first
        assert asked == []
        order_id = broker.order("bid", stock, 1, 9_950)
        assert broker.get(path, depth=1) == first[1]
        venue.match()
        assert broker.get(path, depth=1)["bids"][0]["price"] == 9_950
        assert asked == [stock]
        with venue.matching():
            broker.delete(f"/orders/{order_id}")
        assert broker.get(path, depth=1)["bids"] == first[1]["bids"]

    def test_never_believes_an_old_snapshot(self, venue: Venue, deep: tuple[str, Caller]) -> None:
        stock, broker = deep
        key = f"minex:book:{stock}"
        old = venue.components.redis.get(key)
        with venue.matching():
            for order in broker.get("/orders", limit=2)["items"]:
                broker.delete(f"/orders/{order['order_id']}")
        venue.components.redis.set(key, old)
        book = broker.get(f"/stocks/{stock}/book", depth=1)
        assert book["bids"] == [{"price": 9_900, "total_quantity": 10, "order_count": 1}]

    def test_keeps_a_bounded_number_of_answers(
        self, venue: Venue, deep: tuple[str, Caller], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stock, broker = deep
        monkeypatch.setattr("api.runtime.kept_books.MOST", 3)
        for depth in range(1, 10):
            assert len(broker.get(f"/stocks/{stock}/book", depth=depth)["asks"]) == depth
            assert len(venue.components.books) <= 3

    def test_does_not_show_what_is_not_in_it_yet(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        broker.order("bid", stock, 10, 3_500)
        assert broker.get(f"/stocks/{stock}/book")["bids"] == []

    @pytest.mark.parametrize("depth", [0, 51])
    def test_has_fifty_levels_at_most(self, venue: Venue, depth: int) -> None:
        answer = venue.broker().call("GET", f"/stocks/{venue.list()}/book?depth={depth}")
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["depth"])


def test_an_entry_knows_its_place_in_the_queue(venue: Venue) -> None:
    stock = venue.list()
    broker, other = venue.broker(), venue.broker(shares={stock: 100})
    ids = [broker.order("bid", stock, quantity, 3_500) for quantity in (10, 20, 30)]
    broker.order("bid", stock, 99, 3_499)
    other.order("ask", stock, 4, 3_500)
    venue.match()
    places = [other.get(f"/stocks/{stock}/book/{order_id}") for order_id in ids]
    assert [(one["place"], one["quantity_ahead"], one["remaining_quantity"]) for one in places] == [
        (1, 0, 6),
        (2, 6, 20),
        (3, 26, 30),
    ]
    assert {(one["side"], one["price"], one["symbol"]) for one in places} == {("bid", 3_500, stock)}
    elsewhere = venue.list()
    for path in (f"/stocks/{elsewhere}/book/{ids[0]}", f"/stocks/{stock}/book/{ids[0] + 10**6}"):
        assert other.call("GET", path).json["code"] == "unknown_order"


@pytest.mark.parametrize("path", ["", "/price", "/book", "/book/1", "/trades", "/events"])
def test_an_unknown_stock_is_404_everywhere(venue: Venue, path: str) -> None:
    answer = venue.broker().call("GET", f"/stocks/NOSUCH{path}")
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_stock")
