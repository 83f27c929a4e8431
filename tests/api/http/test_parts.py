"""The small parts by themselves, without a server."""

from __future__ import annotations

import threading
import time

import pytest

from api.http import calls
from api.http.calls import Call, Shared
from api.http.preferences import Preferences, preferences
from api.http.problems import InvalidRequest, NotAnObject, NotJson
from api.http.strict_json import REPEATED, parse_object
from api.runtime.waiting import WaitingRoom, wait_for
from settings.sections import Settings


class TestStrictJson:
    """Objects, and only those that all readers read alike."""

    def test_reads_an_object(self) -> None:
        assert parse_object(b' {"a": 1, "b": [true, null, "\xc3\xa9"], "c": {}} ') == {
            "a": 1,
            "b": [True, None, "é"],
            "c": {},
        }

    def test_marks_what_is_given_twice(self) -> None:
        assert parse_object(b'{"a": 1, "b": 2, "a": 1}') == {"a": REPEATED, "b": 2}
        assert parse_object(b'{"o": {"a": 1, "a": 2}}') == {"o": {"a": REPEATED}}

    def test_numbers_stay_whole_however_large(self) -> None:
        assert parse_object(b'{"a": 18446744073709551616}') == {"a": 2**64}
        assert parse_object(b'{"a": -0}') == {"a": 0}
        assert parse_object(b'{"a": ' + b"1" * 9_999 + b"}")["a"] > 2**64

    @pytest.mark.parametrize(
        "body", [b"", b"\x00", b"{]", b'{"a"}', b'{"a": 01}', b'{"a": .5}', b"{'a': 1}", b"\xff\xfe{}"]
    )
    def test_refuses_what_is_no_json(self, body: bytes) -> None:
        with pytest.raises(NotJson):
            parse_object(body)

    def test_refuses_what_is_no_object(self) -> None:
        with pytest.raises(NotAnObject):
            parse_object(b"[{}]")

    def test_refuses_depth(self) -> None:
        with pytest.raises(InvalidRequest):
            parse_object(b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}")


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ([], Preferences()),
        (["wait=5"], Preferences(wait=5)),
        (["WAIT = 5"], Preferences(wait=5)),
        (['wait="5"'], Preferences(wait=5)),
        (["respond-async"], Preferences(respond_async=True)),
        (["respond-async, wait=10"], Preferences(10, True)),
        (["respond-async", "wait=10; x=y"], Preferences(10, True)),
        (["return=minimal, wait=1, wait=2"], Preferences(wait=1)),
        (["wait=x, wait=2"], Preferences(wait=2)),
        (["wait=-1"], Preferences()),
        (["wait=٣"], Preferences()),
        (["wait=9999999999"], Preferences()),
        ([";,=,"], Preferences()),
    ],
)
def test_preferences(headers: list[str], wanted: Preferences) -> None:
    environ = {"HTTP_PREFER": ",".join(headers)} if headers else {}  # as servers join them
    token = calls.begin(Call(environ, Shared(None, Settings().web, lambda: None), "1"))
    try:
        assert preferences() == wanted
    finally:
        calls.end(token)


class TestWaiting:
    """Looks by itself from time to time, and never longer than asked."""

    def test_ends_as_soon_as_something_is_found(self) -> None:
        found = iter([None, None, "here"])
        assert wait_for(lambda: next(found), bool, 3600) == "here"

    def test_ends_in_time(self) -> None:
        began = time.monotonic()
        assert wait_for(lambda: None, bool, 0.6) is None
        assert time.monotonic() - began > 0.55

    def test_looks_at_least_once(self) -> None:
        assert wait_for(lambda: "here", bool, 0) == "here"

    def test_gives_what_there_is_in_the_end_though_it_is_not_final(self) -> None:
        assert wait_for(lambda: "pending", lambda status: status != "pending", 0) == "pending"

    def test_has_so_many_seats(self) -> None:
        room = WaitingRoom(seats=6)
        taken: list[bool] = []
        free = threading.Event()
        sitting = threading.Barrier(7)

        def sit() -> None:
            with room.seat() as seated:
                taken.append(seated)
                sitting.wait(5)
                free.wait(5)

        threads = [threading.Thread(target=sit) for _ in range(6)]
        for thread in threads:
            thread.start()
        sitting.wait(5)
        with room.seat() as seated:
            assert not seated
        free.set()
        for thread in threads:
            thread.join()
        assert taken == [True] * 6
        with room.seat() as seated:
            assert seated
