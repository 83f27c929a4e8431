"""Given work that few do at the same time, when somebody comes fifty times, then others wait for one of these."""

from __future__ import annotations

from types import SimpleNamespace

import gevent
import gevent.event
import gevent.thread
import pytest

from serving import places as module
from serving.flows import Flow
from serving.places import NoPlaceError, Places
from serving.present import run_as
from serving.turns import Turns


class Room:
    """Where two may work at the same time."""

    def __init__(self, seconds: float = -1, of_one: int | None = None) -> None:
        self.turns = Turns()
        self.places = Places(2, seconds, of_one)
        self.came: list[str] = []
        self.present = self.most = 0

    def enter(self, payer: str, until: gevent.event.Event) -> gevent.Greenlet:
        """Somebody who works until then; he has asked when this returns."""
        greenlet = gevent.spawn(self._work, payer, until)
        gevent.sleep(0)
        return greenlet

    def _work(self, payer: str, until: gevent.event.Event) -> None:
        run_as(Flow(self.turns, payer))
        with self.places.one():
            self.came.append(payer)
            self.present += 1
            self.most = max(self.most, self.present)
            until.wait()
            self.present -= 1


@pytest.fixture(autouse=True)
def patched(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process with one event loop."""
    monkeypatch.setattr(module, "threading", SimpleNamespace(Lock=gevent.thread.allocate_lock))


@pytest.fixture
def end() -> gevent.event.Event:
    return gevent.event.Event()


def test_each_payer_has_one_place_in_line(end: gevent.event.Event) -> None:
    room = Room()
    crowd = [room.enter("crowd", end) for _ in range(50)]
    neighbours = [room.enter(name, end) for name in ("one", "other")]
    assert room.came == ["crowd"] * 2
    end.set()
    gevent.joinall([*crowd, *neighbours], raise_error=True)
    assert room.came[:5] == ["crowd", "crowd", "crowd", "one", "other"]
    assert (room.came.count("crowd"), room.most, room.present) == (50, 2, 0)


def test_nobody_has_more_places_than_one_may(end: gevent.event.Event) -> None:
    room = Room(of_one=1)
    crowd = [room.enter("crowd", end) for _ in range(3)]
    assert room.came == ["crowd"]
    neighbour = room.enter("neighbour", end)
    assert room.came == ["crowd", "neighbour"]
    end.set()
    gevent.joinall([*crowd, neighbour], raise_error=True)
    assert (room.came.count("crowd"), room.most, room.present) == (3, 2, 0)
    assert not room.places._taken


def test_a_place_that_who_is_next_may_not_have_is_for_whoever_may(end: gevent.event.Event) -> None:
    room, first_leaves, other_leaves = Room(of_one=1), gevent.event.Event(), gevent.event.Event()
    first, other = room.enter("first", first_leaves), room.enter("other", other_leaves)
    waits, later = room.enter("first", end), room.enter("later", end)
    other_leaves.set()
    gevent.sleep(0.01)
    assert room.came == ["first", "other", "later"]
    first_leaves.set()
    gevent.sleep(0.01)
    assert room.came == ["first", "other", "later", "first"]
    end.set()
    gevent.joinall([first, other, waits, later], raise_error=True)


def test_who_is_ended_while_he_waits_takes_no_place(end: gevent.event.Event) -> None:
    room = Room()
    first = [room.enter("first", end) for _ in range(2)]
    ended, later = room.enter("ended", end), room.enter("later", end)
    ended.kill()
    end.set()
    gevent.joinall([*first, later], raise_error=True)
    assert room.came == ["first", "first", "later"]


def test_who_is_ended_when_he_has_just_been_given_a_place_leaves_it_to_the_next(end: gevent.event.Event) -> None:
    room, go = Room(), gevent.event.Event()
    ended: list[gevent.Greenlet] = []

    def leave() -> None:
        with room.places.one():
            go.wait()
            ended[0].kill(block=False)  # comes to him before the place that this one leaves does

    gevent.spawn(leave)
    first = room.enter("first", end)
    ended.append(room.enter("ended", end))
    later = room.enter("later", end)
    assert room.came == ["first"]
    go.set()
    gevent.sleep(0.01)
    assert room.came == ["first", "later"]
    end.set()
    gevent.joinall([first, later], raise_error=True)


def test_who_waits_for_too_long_is_told_and_takes_no_place(end: gevent.event.Event) -> None:
    room = Room(seconds=0.01)
    first = [room.enter("first", end) for _ in range(2)]
    late = room.enter("late", end)
    with pytest.raises(NoPlaceError):
        late.get()
    end.set()
    gevent.joinall(first)
    room.enter("again", end).get()
    assert room.came == ["first", "first", "again"]


def test_without_a_connection_nobody_in_particular_pays() -> None:
    places = Places(1)
    for _ in range(2):
        with places.one():
            pass
