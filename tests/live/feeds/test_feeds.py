"""How members are brought to where a feed stands: nothing twice, nothing left out, and who is slow only the sum."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest

from live.channels import Channel
from live.feeds.books import BookFeed
from live.feeds.hub import Hub, private
from live.feeds.latest import CandlesFeed, PricesFeed
from live.feeds.message import Batch, Message
from live.feeds.numbered import RECENT, NumberedFeed
from live.feeds.shown_book import DEPTH, ShownBook
from tests.live.feeds.listening import BookMirror, Ear


def trade(number: int) -> Message:
    return Message("TRADE_EXECUTED", {"sequence": number}, number)


def numbers(ear: Ear) -> list[int]:
    return [payload["sequence"] for _, payload in ear.take()]


def flush(*feeds: Any) -> None:
    for feed in feeds:
        feed.flush({})


class TestNumbered:
    def test_everybody_is_told_each_event_once_and_in_order(self) -> None:
        feed, one, late = NumberedFeed("stock:STK", "e", 4), Ear(), Ear()
        feed.join(one)
        for number in (5, 5, 6, 4, 6):
            feed.add(trade(number))
        feed.join(late)  # before they are flushed: they are behind it
        flush(feed)
        assert (numbers(one), numbers(late)) == ([5, 6], [])
        feed.add(trade(7))
        flush(feed)
        assert (numbers(one), numbers(late)) == ([7], [7])
        assert feed.snapshot() == {"epoch": "e", "sequence": 7}

    def test_one_that_comes_too_early_waits_for_what_is_before_it(self) -> None:
        feed, ear = NumberedFeed("stock:STK", "e", 0), Ear()
        feed.join(ear)
        feed.add(trade(2))
        assert feed.has_gap
        feed.add(Message("INDICATIVE", {"sequence": 0}))  # it is of later than what is missing
        flush(feed)
        assert numbers(ear) == []
        for number in (1, 2):
            feed.add(trade(number))
        assert not feed.has_gap
        flush(feed)
        assert numbers(ear) == [1, 2]

    def test_one_who_comes_back_has_the_latest_from_here(self) -> None:
        feed = NumberedFeed("stock:STK", "e", 0)
        for number in range(1, RECENT + 11):
            feed.add(trade(number))
        assert feed.behind(9) is None
        assert [message.number for message in feed.behind(RECENT + 8) or []] == [RECENT + 9, RECENT + 10]
        assert feed.behind(RECENT + 10) == feed.behind(RECENT + 99) == []

    def test_whoever_is_ahead_hears_nothing_twice(self) -> None:
        feed, ahead = NumberedFeed("stock:STK", "e", 5), Ear()
        feed.join(ahead, 7)  # another process has told it so far
        for number in (6, 7, 8):
            feed.add(trade(number))
        flush(feed)
        assert numbers(ahead) == [8]


def book(number: int, *bids: tuple[int, int], epoch: str = "e") -> ShownBook:
    levels = [{"price": price, "total_quantity": quantity, "order_count": 1} for price, quantity in bids]
    return ShownBook("STK", epoch, {"book_sequence": number, "sequence": 0, "bids": levels, "asks": []})


class TestBook:
    def test_who_is_slow_gets_one_delta_for_all_that_it_missed(self) -> None:
        feed, quick, slow = BookFeed("book:STK", book(1, (10, 1)), 99.0), Ear(), Ear()
        mirrors = {}
        for ear in (quick, slow):
            feed.join(ear)
            mirrors[ear] = BookMirror(feed.snapshot())
        slow.is_behind = True
        draw = random.Random(3)
        for number in range(2, 60):
            feed.show(
                book(number, *((price, draw.randint(1, 3)) for price in range(20, 10, -1) if draw.random() < 0.6))
            )
            flush(feed)
        slow.is_behind = False
        flush(feed)
        heard = {ear: [(event, payload) for event, payload in ear.take()] for ear in (quick, slow)}
        assert [(payload["first"], payload["last"]) for _, payload in heard[slow]] == [(2, 59)]
        assert [payload["first"] for _, payload in heard[quick]] == list(range(2, 60))
        for ear, told in heard.items():
            for event, payload in told:
                mirrors[ear].hear(event, payload)
        assert mirrors[quick].sides == mirrors[slow].sides == {"bids": feed.book.bids, "asks": {}}
        assert not feed.is_lagging

    def test_an_older_book_is_passed_over(self) -> None:
        feed, ear = BookFeed("book:STK", book(5, (10, 1)), 99.0), Ear()
        feed.join(ear)
        for number in (4, 5):
            feed.show(book(number, (99, 9)))
        flush(feed)
        assert ear.take() == []

    def test_numbers_that_begin_anew_are_the_whole_with_a_word(self) -> None:
        feed, ear = BookFeed("book:STK", book(5, (10, 1)), 99.0), Ear()
        feed.join(ear)
        feed.begin_anew(book(1, (12, 2), epoch="other"))
        flush(feed)
        ((event, payload),) = ear.take()
        assert (event, payload["resync"], payload["depth"], payload["epoch"]) == ("BOOK_SNAPSHOT", True, 50, "other")
        feed.show(book(2, (12, 3), epoch="other"))
        flush(feed)
        assert [event for event, _ in ear.take()] == ["BOOK_DELTA"]

    def test_the_top_is_shown_now_and_then_and_after_the_last_change(self) -> None:
        feed, ear = BookFeed("book:STK", book(1), 1.0), Ear()
        feed.join(ear)
        feed.show_top(0.0, {})
        for number, now in ((2, 10.0), (3, 10.4), (4, 10.9)):
            feed.show(book(number, (10, number)))
            flush(feed)
            feed.show_top(now, {})
        feed.show_top(11.0, {})
        feed.show_top(12.5, {})
        tops = [payload["book_sequence"] for event, payload in ear.take() if event == "BOOK_SNAPSHOT"]
        assert tops == [2, 4]


def price(symbol: str, last: int, sequence: int) -> dict[str, Any]:
    return {"symbol": symbol, "last_price": last, "sequence": sequence, "at": f"2026-03-02T10:00:{sequence:02}.000000Z"}


class TestLatest:
    def test_who_is_slow_gets_the_latest_of_each(self) -> None:
        feed, quick, slow = PricesFeed("e", [price("A", 1, 1), price("B", 1, 1)]), Ear(), Ear()
        for ear in (quick, slow):
            feed.join(ear)
        slow.is_behind = True
        for number in range(2, 9):
            feed.add(price("A", number, number))
            flush(feed)
        feed.add(price("B", 5, 9))
        slow.is_behind = False
        flush(feed)
        assert [payload["last_price"] for _, payload in quick.take()] == [2, 3, 4, 5, 6, 7, 8, 5]
        assert [(payload["symbol"], payload["last_price"]) for _, payload in slow.take()] == [("A", 8), ("B", 5)]
        assert [item["symbol"] for item in feed.snapshot()["items"]] == ["A", "B"]

    def test_what_comes_late_is_passed_over(self) -> None:
        feed, ear = PricesFeed("e", [price("A", 7, 7)]), Ear()
        feed.join(ear)
        feed.add(price("A", 6, 6))
        flush(feed)
        assert [payload["last_price"] for _, payload in ear.take()] in ([], [7])
        assert feed.snapshot()["items"][0]["last_price"] == 7

    def test_the_running_candle_is_the_snapshot(self) -> None:
        def candle(start: str, sequence: int, **more: Any) -> dict[str, Any]:
            return {"start": start, "sequence": sequence, "trade_count": 1, **more}

        feed = CandlesFeed("candles:STK:1m", "e", 4, [candle("10:00", 4)])
        feed.add(candle("10:01", 5))
        feed.add(candle("10:00", 6))  # corrected
        assert feed.snapshot()["candle"]["start"] == "10:01"
        feed.add(candle("10:01", 7, removed=True))
        assert (feed.snapshot()["candle"]["start"], feed.number) == ("10:00", 7)


class TestHub:
    @pytest.fixture
    def hub(self) -> Hub:
        hub = Hub()
        hub.epoch = "e"
        hub.add(NumberedFeed("stock:STK", "e", 0))
        hub.add(NumberedFeed(private(7), "e", 0))
        hub.add(BookFeed("book:STK", book(0), 99.0))
        return hub

    def test_own_events_go_to_their_owner_and_to_nobody_else(self, hub: Hub) -> None:
        owner, eavesdropper = Ear(), Ear()
        hub.feeds[private(7)].join(owner)
        hub.add(NumberedFeed(private(8), "e", 0)).join(eavesdropper)
        hub.follow(eavesdropper, Channel("stock:STK", "stock", "STK"))
        own = {"room": "user:7", "event": "ORDER_OPENED", "payload": {"account_sequence": 1, "sequence": 9}}
        changed = {"room": "user:7", "event": "PORTFOLIO_UPDATED", "payload": {"broker_id": 7}}
        hub.take_turn([own, changed], [])
        hub.flush()
        assert [event for event, _ in owner.take()] == ["ORDER_OPENED", "PORTFOLIO_UPDATED"]
        assert eavesdropper.take() == []

    def test_what_the_reporter_says_is_believed_of_prices_and_candles_alone(self, hub: Hub) -> None:
        ear = Ear()
        for name in ("stock:STK", "book:STK", private(7)):
            hub.feeds[name].join(ear)
        said = {"event": "TRADE_EXECUTED", "payload": {"sequence": 1, "account_sequence": 1, "symbol": "STK"}}
        hub.take_report([{**said, "room": room} for room in ("stock:STK", "user:7", private(7), "book:STK", "none")])
        hub.flush()
        assert ear.take() == []

    @pytest.mark.parametrize("junk", [[None], [{"room": 7}], [{"room": "user:x", "payload": {}, "event": "E"}], [7]])
    def test_junk_is_raised_and_changes_nothing(self, hub: Hub, junk: list[Any]) -> None:
        with pytest.raises((TypeError, KeyError, AttributeError, ValueError)):
            hub.take_turn(junk, [])
        assert hub.feeds["stock:STK"].number == 0

    def test_where_everything_stands_is_told_by_the_names_that_a_client_knows(self, hub: Hub) -> None:
        ear = Ear()
        for name in ("stock:STK", private(7)):
            hub.feeds[name].join(ear)
        assert hub.positions(ear) == {"stock:STK": 0, "account": 0}

    def test_whoever_is_gone_is_forgotten_and_so_is_what_nobody_follows(self, hub: Hub) -> None:
        ear = Ear()
        hub.listeners[ear] = None
        hub.follow(ear, Channel("book:STK", "book", "STK"))
        hub.forget(ear)
        assert (hub.listeners, ear.feeds, hub.feeds["book:STK"].members) == ({}, {}, {})
        for feed in hub.feeds.values():
            feed.left_alone_at = float("-inf")
        hub.keep("stock:STK")
        hub.drop_idle()
        assert set(hub.feeds) == {"stock:STK"}


def test_a_message_is_the_same_over_both_ways() -> None:
    message = Message("PRICE", {"symbol": "É", "last_price": None}, 3)
    assert orjson.loads(message.packet[1:]) == ["PRICE", message.payload]
    assert message.frame.endswith(f"4{message.packet}".encode())
    assert message.block.startswith(b"event: PRICE\ndata: {")
    assert Batch((message, message)).frames == message.frame * 2
    assert b"\n" not in message.data
    assert DEPTH == 50
