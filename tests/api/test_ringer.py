"""The ringer: whoever stored something goes on, and the workers hear of it a moment later."""

import threading

from api.ringer import Ringer


class Bell:
    """Remembers who was woken, and can be held back or broken."""

    def __init__(self):
        self.woken = []
        self.free = threading.Event()
        self.free.set()
        self.heard = threading.Semaphore(0)

    def wake(self, stocks):
        self.free.wait(10)
        self.woken.append(list(stocks))
        self.heard.release()
        if ("BROKEN", "A") in stocks:
            raise ValueError("broken")


def test_nobody_waits_for_the_bell_and_what_gathers_is_rung_together():
    bell = Bell()
    bell.free.clear()
    ringer = Ringer(bell)
    ringer.ring([("ONE", "A")])
    for symbol in ("TWO", "THREE", "TWO"):
        ringer.ring([(symbol, "A")])
    bell.free.set()
    rung = []
    while len(rung) < 3:
        assert bell.heard.acquire(timeout=10)
        rung = list(dict.fromkeys(stock for stocks in bell.woken for stock in stocks))
    assert rung == [("ONE", "A"), ("TWO", "A"), ("THREE", "A")]
    assert len(bell.woken) < 4


def test_a_bell_that_breaks_is_rung_again_for_the_next(caplog):
    bell = Bell()
    ringer = Ringer(bell)
    ringer.ring([("BROKEN", "A")])
    assert bell.heard.acquire(timeout=10)
    ringer.ring([("NEXT", "A")])
    assert bell.heard.acquire(timeout=10)
    assert bell.woken[-1] == [("NEXT", "A")]
    assert "wait for the sweep" in caplog.text
