"""Snapshot and deltas give the next snapshot, whatever was put together on the way."""

from __future__ import annotations

import random
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.feeds.shown_book import DEPTH, ShownBook
from tests.live.feeds.listening import BookMirror

Side = dict[int, tuple[int, int]]


def shown(number: int, bids: Side, asks: Side) -> ShownBook:
    def levels(side: Side, *, highest_first: bool) -> list[dict[str, int]]:
        best = sorted(side.items(), reverse=highest_first)[:DEPTH]
        return [{"price": price, "total_quantity": each[0], "order_count": each[1]} for price, each in best]

    book = {"book_sequence": number, "sequence": 0, "bids": levels(bids, highest_first=True)}
    return ShownBook("STK", "e", {**book, "asks": levels(asks, highest_first=False)})


sides = st.dictionaries(st.integers(1, 130), st.tuples(st.integers(1, 9), st.integers(1, 3)), max_size=110)


@given(sides, sides, sides, sides)
def test_a_delta_makes_one_book_of_another(bids: Side, asks: Side, other_bids: Side, other_asks: Side) -> None:
    before, after = shown(4, bids, asks), shown(9, other_bids, other_asks)
    mirror = BookMirror(before.snapshot(DEPTH))
    delta = after.delta_from(before)
    assert (delta["first"], delta["last"]) == (5, 9)
    mirror.apply(delta)
    assert {side: [*levels.items()] for side, levels in mirror.sides.items()} == {
        "bids": [*after.bids.items()], "asks": [*after.asks.items()],
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_merged_and_single_deltas_end_with_the_same_book(seed: int) -> None:
    """Deep books, whose levels move into the fifty and out of them unseen."""
    draw = random.Random(seed)
    bids: Side = {price: (draw.randint(1, 9), 1) for price in range(1, 200) if draw.random() < 0.5}
    asks: Side = {price: (draw.randint(1, 9), 1) for price in range(200, 400) if draw.random() < 0.5}
    books = [shown(0, dict(bids), dict(asks))]
    each = BookMirror(books[0].snapshot(DEPTH))
    some = BookMirror(books[0].snapshot(DEPTH))
    behind = books[0]
    for number in range(1, 400):
        for _ in range(draw.choice([1, 1, 1, 30])):
            side, price = (bids, draw.randint(1, 199)) if draw.random() < 0.5 else (asks, draw.randint(200, 399))
            if draw.random() < 0.5:
                side.pop(price, None)
            else:
                side[price] = draw.randint(1, 9), draw.randint(1, 3)
        books.append(shown(number, dict(bids), dict(asks)))
        each.apply(books[-1].delta_from(books[-2]))
        if draw.random() < 0.2:
            some.apply(books[-1].delta_from(behind))
            behind = books[-1]
            assert some.sides == each.sides
        assert each.sides == {"bids": books[-1].bids, "asks": books[-1].asks}
        assert list(each.sides["bids"]) == list(books[-1].bids)


def test_what_is_pushed_out_is_not_mentioned_and_what_moves_in_is_whole() -> None:
    deep = {price: (price, 1) for price in range(1, 52)}
    before, after = shown(1, deep, {}), shown(2, {**deep, 60: (7, 2)}, {})
    assert after.delta_from(before)["bids"] == [[60, 7, 2]]
    again = shown(3, {price: deep[price] for price in range(1, 51)}, {})
    assert again.delta_from(after)["bids"] == [[2, 2, 1], [1, 1, 1], [60, 0, 0], [51, 0, 0]]


def test_the_checksum_covers_ten_asks_and_ten_bids() -> None:
    asks = {price: (price * 2, 1) for price in range(100, 115)}
    bids = {price: (price * 3, 1) for price in range(50, 65)}
    text = "".join(f"{price}:{price * 2};" for price in range(100, 110))
    text += "".join(f"{price}:{price * 3};" for price in range(64, 54, -1))
    assert shown(1, bids, asks).checksum == zlib.crc32(text.encode())
    assert shown(1, {}, {}).checksum == 0


def test_a_book_is_shown_with_all_that_it_is_known_by() -> None:
    payload: dict[str, Any] = shown(3, {5: (7, 1), 4: (1, 1)}, {6: (2, 2)}).snapshot(1)
    assert payload == {
        "symbol": "STK", "epoch": "e", "book_sequence": 3, "sequence": 0, "depth": 1,
        "bids": [{"price": 5, "total_quantity": 7, "order_count": 1}],
        "asks": [{"price": 6, "total_quantity": 2, "order_count": 2}],
    }  # fmt: skip
