"""The sender of wake-ups: whoever stored something goes on, and the workers hear of it a moment later."""

import threading

from api.intake.wakeup_sender import WakeupSender
from background import Tasks


class FakeWakeups:
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


def test_nobody_waits_for_redis_and_what_gathers_is_sent_together():
    wakeups = FakeWakeups()
    wakeups.free.clear()
    sender = WakeupSender(wakeups, Tasks())
    sender.send([("ONE", "A")])
    for symbol in ("TWO", "THREE", "TWO"):
        sender.send([(symbol, "A")])
    wakeups.free.set()
    woken_stocks = []
    while len(woken_stocks) < 3:
        assert wakeups.heard.acquire(timeout=10)
        woken_stocks = list(dict.fromkeys(stock for stocks in wakeups.woken for stock in stocks))
    assert woken_stocks == [("ONE", "A"), ("TWO", "A"), ("THREE", "A")]
    assert len(wakeups.woken) < 4


def test_wakeups_that_break_are_sent_again_for_the_next(caplog):
    wakeups = FakeWakeups()
    sender = WakeupSender(wakeups, Tasks())
    sender.send([("BROKEN", "A")])
    assert wakeups.heard.acquire(timeout=10)
    sender.send([("NEXT", "A")])
    assert wakeups.heard.acquire(timeout=10)
    assert wakeups.woken[-1] == [("NEXT", "A")]
    assert "wait for the sweep" in caplog.text
