"""Given clients who ask for much and clients who ask little, when all want the processor, the latter wait least."""

from __future__ import annotations

import itertools
import time

import gevent
import pytest

from serving import turns
from serving.flows import MUCH_SECONDS, SLICE_SECONDS, Flow
from serving.present import pause, run_as
from serving.turns import BYTE_SECONDS, Turns


class Clock:
    """Stands still but for the work that is done."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(turns, "perf_counter", clock)
    return clock


class Floor:
    """Clients, and the order in which their requests had their turns."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.turns = Turns()
        self.served: list[str] = []

    def client(self, name: str, payer: str, requests: int, seconds: float, size: int = 0) -> gevent.Greenlet:
        """One connection that sends so many requests, one after the other, each of so much work and answer."""
        return gevent.spawn(self._send, name, Flow(self.turns, payer), requests, seconds, size)

    def _send(self, name: str, flow: Flow, requests: int, seconds: float, size: int) -> None:
        run_as(flow)
        for _ in range(requests):
            self.turns.enter(flow)
            self.served.append(name)
            self.clock.now += seconds
            self.turns.charge(flow, size)


@pytest.fixture
def floor(clock: Clock) -> Floor:
    return Floor(clock)


def test_a_lone_request_waits_for_nobody(floor: Floor) -> None:
    flow = Flow(floor.turns, "somebody")
    switches: list[str] = []
    gevent.get_hub().loop.run_callback(switches.append, "the loop came round")
    floor.turns.enter(flow)
    assert switches == []


def test_whoever_sends_one_request_after_the_other_lets_the_next_one_go_between(floor: Floor) -> None:
    greenlets = [floor.client("flood", "a", 100, 0.0005), floor.client("one", "b", 1, 0.0005)]
    gevent.joinall(greenlets)
    assert floor.served.index("one") <= 1


def test_of_one_payer_a_new_connection_goes_before_those_that_have_had_much(floor: Floor) -> None:
    greenlets = [floor.client(f"flood{n}", "a", 50, 0.001) for n in range(20)]
    gevent.sleep(0)
    while floor.served.count("flood0") < 10:
        gevent.sleep(0)
    before = len(floor.served)
    gevent.joinall([*greenlets, floor.client("new", "a", 1, 0.001)])
    assert floor.served.index("new") - before <= 2 * SLICE_SECONDS / 0.001


def test_a_broker_with_a_thousand_connections_has_no_more_than_one_with_a_single_one(floor: Floor) -> None:
    greenlets = [floor.client("many", "a", 20, 0.001) for _ in range(100)]
    greenlets.append(floor.client("single", "b", 200, 0.001))
    gevent.joinall(greenlets)
    until_done = floor.served[: len(floor.served) - floor.served[::-1].index("single")]
    assert 0.4 < until_done.count("single") / len(until_done) < 0.6


def test_who_asks_for_more_work_at_once_has_his_turn_less_often(floor: Floor) -> None:
    greenlets = [floor.client("long", "a", 20, 0.009), floor.client("short", "b", 180, 0.001)]
    gevent.joinall(greenlets)
    half = floor.served[: len(floor.served) // 2]
    assert half.count("short") / half.count("long") == pytest.approx(9, rel=0.3)


@pytest.mark.parametrize("payers", ["all one's own", "another's"])
def test_who_has_used_much_waits_for_newcomers_but_not_for_ever(floor: Floor, payers: str) -> None:
    kept = Flow(floor.turns, "a")
    used = MUCH_SECONDS + 0.01
    kept.charge(used, floor.clock.now)
    kept.payer.charge(used, floor.clock.now)

    def newcomers() -> None:
        for number in range(1_500):
            payer = "a" if payers == "all one's own" else number
            floor.client("new", payer, 1, 0.01).join()

    flood = [gevent.spawn(newcomers) for _ in range(3)]
    while len(floor.served) < 10:
        gevent.sleep(0)
    gevent.joinall([*flood, gevent.spawn(floor._send, "kept", kept, 1, 0.001, 0)])
    assert 500 < floor.served.index("kept") < 4_000


def test_an_answer_is_charged_by_its_size(floor: Floor) -> None:
    size = int(0.004 / BYTE_SECONDS)
    gevent.joinall([floor.client("large", "a", 20, 0.001, size), floor.client("small", "b", 100, 0.001)])
    half = floor.served[: len(floor.served) // 2]
    assert half.count("small") / half.count("large") == pytest.approx(5, rel=0.3)


def test_who_is_ended_while_waiting_keeps_nobody_from_his_turn(floor: Floor) -> None:
    flood = floor.client("flood", "a", 50, 0.001)
    ended = [floor.client("ended", "b", 5, 0.001) for _ in range(5)]
    gevent.sleep(0)
    for greenlet in ended:
        greenlet.kill(block=False)
    gevent.joinall([flood, *ended, floor.client("last", "c", 1, 0.001)], timeout=10)
    assert floor.served.count("flood") == 50
    assert "last" in floor.served


def test_payers_are_forgotten_with_the_last_of_their_connections(floor: Floor) -> None:
    kept = Flow(floor.turns, "kept")
    for number in range(100):
        Flow(floor.turns, number)
    assert list(floor.turns._payers) == ["kept"]
    kept.paid_by("broker")
    assert list(floor.turns._payers) == ["broker"]


class TestPause:
    """Amid one long request."""

    def test_lets_others_go_first(self) -> None:
        floor = Floor(Clock())
        order: list[str] = []

        def work_long() -> None:
            flow = Flow(floor.turns, "a")
            run_as(flow)
            floor.turns.enter(flow)
            for piece in itertools.count():
                if (order and order[-1] == "other") or piece > 10_000:
                    return
                order.append("piece")
                time.sleep(0.0005)
                pause()

        def ask() -> None:
            floor.turns.enter(Flow(floor.turns, "b"))
            order.append("other")

        gevent.joinall([gevent.spawn(work_long), gevent.spawn(ask)])
        assert order.index("other") < 2 * SLICE_SECONDS / 0.0005

    def test_does_nothing_elsewhere(self) -> None:
        pause()
