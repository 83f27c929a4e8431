"""Books whose levels are put together by ticks, and market orders that wait for an auction."""

from __future__ import annotations

import pytest

from tests.api.venue import Caller, Venue


@pytest.fixture
def deep(venue: Venue) -> tuple[str, Caller]:
    stock = venue.list(reference_price=10_000, tick_size=5)
    broker = venue.broker(cash=10**12, shares={stock: 10_000})
    for number in range(70):
        broker.order("bid", stock, 10, 9_990 - 5 * number)
        broker.order("ask", stock, 20, 10_010 + 5 * number)
    venue.match()
    return stock, broker


def levels(side: list[dict[str, int]]) -> list[tuple[int | None, int, int]]:
    return [(level["price"], level["total_quantity"], level["order_count"]) for level in side]


def test_bids_are_put_together_downward_and_asks_upward(venue: Venue, deep: tuple[str, Caller]) -> None:
    stock, _ = deep
    book = venue.nobody.get(f"/stocks/{stock}/book", group=10, depth=3)
    assert levels(book["bids"]) == [(9_950, 90, 9), (9_900, 100, 10), (9_850, 100, 10)]
    assert levels(book["asks"]) == [(10_050, 180, 9), (10_100, 200, 10), (10_150, 200, 10)]
    plain = venue.nobody.get(f"/stocks/{stock}/book", depth=3)
    assert {name: book[name] for name in ("epoch", "book_sequence", "sequence", "depth")} == {
        name: plain[name] for name in ("epoch", "book_sequence", "sequence", "depth")
    }


def test_a_group_of_one_is_the_book_itself_and_may_be_deep(venue: Venue, deep: tuple[str, Caller]) -> None:
    stock, _ = deep
    whole = venue.nobody.get(f"/stocks/{stock}/book", group=1, depth=500)
    assert len(whole["bids"]) == len(whole["asks"]) == 70
    plain = venue.nobody.get(f"/stocks/{stock}/book", depth=50)
    assert whole["bids"][:50] == plain["bids"]
    for group in (3, 7, 1_000):
        grouped = venue.nobody.get(f"/stocks/{stock}/book", group=group, depth=500)
        for side in ("bids", "asks"):
            assert sum(level["total_quantity"] for level in grouped[side]) == sum(
                level["total_quantity"] for level in whole[side]
            )
            assert all(level["price"] % (5 * group) == 0 for level in grouped[side])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"depth": 51}, "depth"),
        ({"depth": 501, "group": 1}, "depth"),
        ({"group": 0}, "group"),
        ({"group": "x"}, "group"),
    ],
)
def test_deep_only_in_groups(venue: Venue, deep: tuple[str, Caller], query: dict[str, str], field: str) -> None:
    answer = venue.nobody.call("GET", f"/stocks/{deep[0]}/book", query_string=query)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_market_orders_of_an_auction_are_a_level_without_a_price(venue: Venue) -> None:
    stock = venue.list()
    buyer, seller = venue.broker(), venue.broker(shares={stock: 100})
    with venue.matching():
        venue.admin.post(f"/stocks/{stock}/state", {"state": "auction"})
    buyer.order("bid", stock, 30, 3_480)
    seller.order("ask", stock, 12, None, order_type="market")
    seller.order("ask", stock, 5, None, order_type="market")
    venue.match()
    for query in ({}, {"group": 1}, {"group": 10, "depth": 500}):
        book = venue.nobody.get(f"/stocks/{stock}/book", **query)
        assert levels(book["asks"]) == [(None, 17, 2)]
        assert levels(book["bids"]) == [(3_480, 30, 1)]
    with venue.matching():
        venue.admin.post(f"/stocks/{stock}/state", {"state": "open"})
    book = venue.nobody.get(f"/stocks/{stock}/book")
    assert (levels(book["asks"]), levels(book["bids"])) == ([], [(3_480, 13, 1)])


def test_what_auctions_would_have_brought_is_kept(venue: Venue) -> None:
    stock = venue.list()
    buyer, seller = venue.broker(), venue.broker(shares={stock: 100})
    with venue.matching():
        venue.admin.post(f"/stocks/{stock}/state", {"state": "auction", "reason": "news"})
    shown = venue.nobody.get(f"/stocks/{stock}")
    assert (shown["set_by"], shown["reason"], shown["until"], shown["next_state"]) == ("operator", "news", None, None)
    assert (shown["since"], shown["band_low"], shown["band_high"]) == (shown["state_since"], 3_150, 3_850)
    buyer.order("bid", stock, 30, 3_500)
    venue.match()
    for quantity in (10, 15, 25):
        seller.order("ask", stock, quantity, 3_490)
        venue.match()
    found = venue.nobody.get(f"/stocks/{stock}/indicative")["items"]
    assert [(item["volume"], item["surplus"], item["surplus_side"]) for item in found] == [
        (30, -20, "ask"), (25, 5, "bid"), (10, 20, "bid"),
    ]  # fmt: skip
    first = venue.nobody.get(f"/stocks/{stock}/indicative", limit=2)
    rest = venue.nobody.get(f"/stocks/{stock}/indicative", limit=2, cursor=first["next_cursor"])
    assert first["items"] + rest["items"] == found
    assert found[0]["at"] > found[-1]["at"]
    assert venue.nobody.get(f"/stocks/{stock}")["indicative"]["surplus_side"] == "ask"
