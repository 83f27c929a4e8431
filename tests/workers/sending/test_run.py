"""Given a receiver that is well, broken, slow or gone, when deliveries are sent, then in order, and none is lost."""

from datetime import UTC, datetime

import orjson
import pytest

from database.session import transaction
from services.webhooks.claims import claim
from services.webhooks.read_deliveries import add_test, read_deliveries, retry
from services.webhooks.signing import verify
from services.webhooks.subscriptions import delete_webhook, read_webhook, rotate_secret, set_webhook
from workers.sending.attempts import Attempt
from workers.sending.retrying import Schedule
from workers.sending.run import deliver
from workers.sending.telling import ALONE, Sending

URL = "https://receiver.example/"
SCHEDULE = Schedule([5, 300, 1_800, 7_200])


class Scripted:
    """A receiver that answers as it is told: a status, or a function of the body that gives one."""

    def __init__(self):
        self.answer = 200
        self.retry_after = None
        self.requests = []

    def post(self, body, headers, seconds, at):
        status = self.answer(orjson.loads(body)) if callable(self.answer) else self.answer
        self.requests.append((orjson.loads(body), headers, body, status))
        return Attempt(datetime.now(UTC), status, None if status else "no answer in time", 3, self.retry_after)

    def got(self):
        """The numbers that were answered well, in the order in which they came."""
        return [body["sequence"] for body, _, _, status in self.requests if status and status < 300]

    def tried(self):
        """Each request's number, and what it was answered."""
        return [(body.get("sequence"), status) for body, _, _, status in self.requests]


class Desk:
    """A broker with a hook, whose trades are made here; time is moved for it alone."""

    def __init__(self, floor):
        self.floor = floor
        self.symbol = floor.stock()
        self.seller = floor.broker(**{self.symbol: 100_000})
        self.broker = floor.broker()
        self.receiver = Scripted()
        self.sending = Sending(f"sender of {self.broker}", SCHEDULE, 15, lambda broker_id, url: self.receiver)
        self.secret = self.set()

    def set(self, url=URL, **wanted):
        with transaction(self.floor.engine) as session:
            return set_webhook(session, self.broker, url, **wanted)

    def trade(self, times=1):
        self.floor.ask(self.seller, self.symbol, times, 3_500)
        for _ in range(times):
            self.floor.bid(self.broker, self.symbol, 1, 3_500)
        self.floor.match(self.symbol)

    def run(self):
        return deliver(self.floor.engine, self.broker, self.sending)

    def run_all(self):
        """Until nothing is due right now; seconds until something is."""
        while (found := self.run()).due_in == 0:
            pass
        return found.due_in

    def pass_time(self, seconds):
        for table, columns in (
            ("webhook_deliveries", ("next_attempt_at",)), ("webhook_endpoints", ("probe_at", "claimed_until"))
        ):  # fmt: skip
            sets = ", ".join(f"{name} = {name} - {seconds} * interval '1 second'" for name in columns)
            self.floor.run(f"UPDATE {table} SET {sets} WHERE broker_id = :id", id=self.broker)

    def statuses(self):
        """By number; a test has none."""
        with transaction(self.floor.engine) as session:
            found = read_deliveries(session, self.broker, 2**62, 500)
            return {one["sequence"]: one["status"] for one in found if one["sequence"]}

    def log(self, sequence):
        with transaction(self.floor.engine) as session:
            return next(one for one in read_deliveries(session, self.broker, 2**62, 500) if one["sequence"] == sequence)

    def hook(self):
        with transaction(self.floor.engine) as session:
            return read_webhook(session, self.broker)


@pytest.fixture
def desk(floor):
    return Desk(floor)


def test_everything_is_told_once_in_order_and_signed(desk):
    desk.trade(3)
    desk.trade(2)
    assert desk.run_all() is None
    assert desk.receiver.got() == [1, 2, 3, 4, 5]
    ids = []
    for body, headers, raw, _ in desk.receiver.requests:
        verify(desk.secret, headers, raw)
        ids.append(headers["webhook-id"])
        assert ALONE not in headers
        fill = desk.floor.query("SELECT * FROM account_events WHERE broker_id = :b AND sequence = :s",
                                b=desk.broker, s=body["account_sequence"])[0]  # fmt: skip
        assert (body["trade_id"], body["order_id"]) == (fill.trade_id, fill.order_id)
        assert (body["event"], body["symbol"], body["side"], body["price"], body["quantity"]) == (
            "trade_executed", desk.symbol, "bid", 3_500, 1,
        )  # fmt: skip
        assert (body["filled_quantity"], body["order_remaining_quantity"], body["fee"]) == (1, 0, 0)
    assert ids == [str(desk.log(number)["delivery_id"]) for number in range(1, 6)]
    assert set(desk.statuses().values()) == {"delivered"}
    assert desk.hook()["state"] == "well"
    assert desk.run().is_quick is None


def test_what_fails_holds_the_others_up_until_it_is_set_aside(desk):
    desk.trade(3)
    desk.receiver.answer = lambda body: 500 if body["sequence"] == 1 else 200
    assert 5 <= desk.run().due_in < 5.6
    assert desk.receiver.tried() == [(1, 500)]
    hook = desk.hook()
    assert (hook["state"], hook["waiting"], hook["blocked_by"]) == ("failing", 3, desk.log(1)["delivery_id"])
    assert hook["failing_since"] is not None
    desk.pass_time(6)
    assert desk.run().due_in == pytest.approx(60, abs=1), "a receiver that fails everything is tried each minute"
    desk.pass_time(61)
    desk.run()
    assert desk.receiver.tried() == [(1, 500), (1, 500), (1, 500), (2, 200), (3, 200)]
    assert desk.statuses() == {1: "set_aside", 2: "delivered", 3: "delivered"}
    assert desk.hook()["state"] == "well"
    desk.trade()
    desk.run_all()
    assert desk.receiver.tried()[5:] == [(1, 500), (4, 200)] or desk.receiver.tried()[5:] == [(4, 200), (1, 500)]
    _, headers, body, _ = next(one for one in desk.receiver.requests[5:] if one[0]["sequence"] == 1)
    assert headers[ALONE] == "true"
    assert body == desk.receiver.requests[0][2], "a body never changes"
    assert headers["webhook-id"] == desk.receiver.requests[0][1]["webhook-id"]
    assert desk.statuses()[1] == "set_aside"
    assert len(desk.log(1)["attempts"]) == 4


def test_a_delivery_that_nobody_takes_fails_when_its_schedule_is_over(desk):
    desk.trade()
    desk.receiver.answer = lambda body: 400 if body["sequence"] == 1 else 200
    for _ in range(3):
        desk.run()
        desk.pass_time(301)
    desk.trade()
    for _ in range(4):
        desk.run_all()
        desk.pass_time(7_300)
    assert desk.statuses() == {1: "failed", 2: "delivered"}
    assert [attempt["status_code"] for attempt in desk.log(1)["attempts"]] == [400] * 6, "one before its time"
    count = len(desk.receiver.requests)
    assert desk.run_all() is None
    assert len(desk.receiver.requests) == count


def test_a_dead_receiver_is_probed_by_one_and_gets_everything_once_it_answers(desk):
    desk.trade(4)
    desk.receiver.answer = None
    for _ in range(65):
        desk.run()
        desk.pass_time(61)
    assert desk.statuses() == {1: "set_aside", 2: "pending", 3: "pending", 4: "pending"}
    tried = desk.receiver.tried()
    assert {number for number, _ in tried} == {1, 2}
    assert sum(number == 2 for number, _ in tried) >= 60, "at least each minute"
    assert sum(number == 1 for number, _ in tried) <= 5, "on its own schedule"
    desk.trade(2)
    desk.receiver.answer = 200
    desk.run_all()
    got = desk.receiver.got()
    assert got in ([2, 3, 4, 5, 6, 1], [1, 2, 3, 4, 5, 6])
    assert set(desk.statuses().values()) == {"delivered"}
    assert desk.hook() | {"last_success_at": None} == {
        "url": URL, "events": ["trade_executed", "trade_busted", "trade_adjusted"], "enabled": True, "state": "well",
        "waiting": 0, "blocked_by": None, "failing_since": None, "last_success_at": None,
    }  # fmt: skip


def test_one_that_is_alone_is_tried_each_minute_and_that_counts_for_nothing(desk):
    desk.trade()
    desk.receiver.answer = 503
    for _ in range(3):
        desk.run()
        desk.pass_time(61)
    for _ in range(5):
        desk.run()
        desk.pass_time(61)
    assert desk.statuses() == {1: "set_aside"}
    assert len(desk.receiver.requests) == 8
    desk.receiver.answer = 200
    assert desk.run_all() is None
    assert desk.statuses() == {1: "delivered"}


def test_a_failing_every_other_request_loses_nothing_and_keeps_the_order(desk):
    count = iter(range(10**6))
    desk.receiver.answer = lambda body: 500 if next(count) % 2 == 0 else 202
    desk.trade(6)
    for _ in range(20):
        desk.run()
        desk.pass_time(6)
    assert desk.receiver.got() == [1, 2, 3, 4, 5, 6]


def test_gone_switches_the_hook_off_and_what_waits_goes_out_when_it_is_on_again(desk):
    desk.trade(3)
    desk.receiver.answer = lambda body: 200 if body["sequence"] == 1 else 410
    assert desk.run_all() is None
    assert desk.receiver.tried() == [(1, 200), (2, 410)]
    assert (desk.hook()["enabled"], desk.hook()["state"]) == (False, "off")
    assert desk.statuses() == {1: "delivered", 2: "paused", 3: "paused"}
    desk.trade(2)
    assert len(desk.statuses()) == 3, "trades meanwhile make no delivery"
    assert desk.run_all() is None
    desk.receiver.answer = 200
    assert desk.set() is None, "the secret is the same"
    desk.trade()
    desk.run_all()
    assert desk.receiver.got() == [1, 2, 3, 4]
    verify(desk.secret, *desk.receiver.requests[-1][1:3])


def test_switched_off_by_hand_and_deleted_keep_what_waits(desk):
    desk.trade(2)
    desk.set(enabled=False)
    assert desk.run_all() is None
    assert desk.statuses() == {1: "paused", 2: "paused"}
    with transaction(desk.floor.engine) as session:
        assert delete_webhook(session, desk.broker)
        assert not delete_webhook(session, desk.broker)
    desk.run()
    assert desk.receiver.requests == []
    assert desk.statuses() == {1: "paused", 2: "paused"}
    assert desk.hook()["url"] is None
    secret = desk.set("https://other.example/")
    assert secret not in (None, desk.secret)
    desk.run_all()
    assert desk.receiver.got() == [1, 2]
    verify(secret, *desk.receiver.requests[0][1:3])


def test_a_receiver_may_ask_to_be_left_alone(desk):
    desk.trade()
    desk.receiver.answer, desk.receiver.retry_after = 429, 240.0
    assert desk.run().due_in == pytest.approx(240, abs=2)
    desk.pass_time(241)
    desk.receiver.retry_after = 10**9
    assert desk.run().due_in == pytest.approx(3_600, abs=2)
    desk.pass_time(3_601)
    desk.receiver.answer = 404
    assert desk.run().due_in <= 60, "only with a status that says that it has too much to do"


def test_a_test_is_sent_once_and_counts_for_nothing(desk):
    desk.trade()
    desk.receiver.answer = lambda body: 500 if body["event"] == "test" else 200
    with transaction(desk.floor.engine) as session:
        delivery = add_test(session, desk.broker)
    assert desk.run_all() is None
    assert desk.receiver.tried() == [(None, 500), (1, 200)]
    assert desk.receiver.requests[0][0].keys() == {"event", "delivery_id", "created_at"}
    assert desk.receiver.requests[0][0]["delivery_id"] == delivery
    assert desk.hook()["state"] == "well"
    desk.receiver.answer = lambda body: 200 if body["event"] == "test" else 500
    desk.trade()
    desk.run()
    with transaction(desk.floor.engine) as session:
        add_test(session, desk.broker)
    desk.run()
    assert desk.hook()["state"] == "failing", "a good answer to a test frees nothing"
    assert desk.receiver.tried()[2:] == [(2, 500), (None, 200)]


def test_tests_that_take_long_give_way_to_others_and_go_on(desk, monkeypatch):
    for _ in range(3):
        with transaction(desk.floor.engine) as session:
            add_test(session, desk.broker)
    desk.set(enabled=False)
    monkeypatch.setattr("workers.sending.telling.LONGEST_RUN_SECONDS", 0)
    assert desk.run().due_in == 0
    assert desk.receiver.requests == []
    monkeypatch.undo()
    assert desk.run_all() is None
    assert desk.receiver.tried() == [(None, 200)] * 3


def test_one_that_failed_or_was_delivered_is_sent_again_by_hand(desk):
    desk.trade(2)
    desk.receiver.answer = lambda body: 400 if body["sequence"] == 1 else 200
    for _ in range(9):
        desk.run()
        desk.pass_time(7_300)
    assert desk.statuses() == {1: "failed", 2: "delivered"}
    desk.receiver.answer, desk.receiver.requests = 200, []
    for number in (1, 2):
        with transaction(desk.floor.engine) as session:
            assert retry(session, desk.broker, desk.log(number)["delivery_id"])["status"] == "set_aside"
    desk.run_all()
    assert desk.receiver.got() == [1, 2]
    assert desk.statuses() == {1: "delivered", 2: "delivered"}


def test_while_a_secret_changes_both_sign(desk):
    with transaction(desk.floor.engine) as session:
        now = datetime.now(UTC)
        new = rotate_secret(session, desk.broker, (now.replace(year=now.year + 1) - now), now)
    desk.trade()
    desk.run_all()
    for secret in (new, desk.secret):
        verify(secret, *desk.receiver.requests[0][1:3])
    with transaction(desk.floor.engine) as session:
        last = rotate_secret(session, desk.broker, now - now, now)
    desk.trade()
    desk.run_all()
    verify(last, *desk.receiver.requests[1][1:3])
    assert desk.receiver.requests[1][1]["webhook-signature"].count("v1,") == 1


def test_one_sender_at_a_time_speaks_with_a_receiver(desk):
    desk.trade()
    with transaction(desk.floor.engine) as session:
        assert claim(session, desk.broker, "another") is not None
    assert desk.run().due_in == 1
    assert desk.receiver.requests == []
    desk.pass_time(11)
    assert desk.run_all() is None
    assert desk.receiver.got() == [1]


def test_what_a_url_was_found_to_be_says_nothing_of_the_next(desk):
    desk.trade(3)
    desk.receiver.answer = 500
    for _ in range(4):
        desk.run()
        desk.pass_time(61)
    assert desk.hook()["state"] == "failing"
    desk.receiver.answer = 200
    desk.set("https://other.example/")
    assert desk.hook()["state"] == "well"
    desk.run_all()
    assert set(desk.statuses().values()) == {"delivered"}


def test_what_fails_right_after_a_recovery_is_tried_once_more_soon_and_then_waits_for_its_time(desk):
    desk.trade(4)
    desk.receiver.answer = 500
    desk.run()
    desk.pass_time(6)
    desk.receiver.answer = lambda body: 200 if body["sequence"] == 1 else 500
    assert 0.2 < desk.run().due_in <= 0.25
    assert desk.receiver.tried() == [(1, 500), (1, 200), (2, 500)]
    desk.pass_time(0.3)
    assert desk.run().due_in == pytest.approx(60, abs=1)
    assert desk.receiver.tried()[3:] == [(2, 500)]


def test_a_receiver_may_ask_to_be_left_alone_right_after_a_recovery(desk):
    desk.trade(4)
    desk.receiver.answer = 500
    desk.run()
    desk.pass_time(6)
    desk.receiver.answer = lambda body: 200 if body["sequence"] == 1 else 503
    desk.receiver.retry_after = 600.0
    assert desk.run().due_in == pytest.approx(600, abs=1)


def test_recoveries_do_not_use_up_the_schedule_of_what_is_set_aside(desk):
    """1 is refused for what it says; each other one fails once."""
    desk.trade(2)
    seen = {2}

    def answer(body):
        number = body["sequence"]
        if number == 1 or number not in seen:
            seen.add(number)
            return 500
        return 200

    desk.receiver.answer = answer
    while desk.statuses()[1] != "set_aside":
        desk.run()
        desk.pass_time(61)
    for _ in range(10):
        desk.trade()
        for _ in range(4):
            due = desk.run().due_in
            if due is None or due > 10:
                break
            desk.pass_time(due + 0.1)
    assert desk.statuses() == {1: "set_aside", **dict.fromkeys(range(2, 13), "delivered")}
    assert len(desk.log(1)["attempts"]) > 10, "it was tried with each recovery"
    assert desk.run().due_in > 1_600


def test_what_is_set_aside_and_freed_goes_out_in_order(desk):
    for _ in range(2):
        desk.trade(2)
        desk.receiver.answer = lambda body: 500 if body["sequence"] % 2 else 200
        for _ in range(3):
            desk.run()
            desk.pass_time(61)
        desk.run_all()
    assert desk.statuses() == {1: "set_aside", 2: "delivered", 3: "set_aside", 4: "delivered"}
    desk.trade()
    desk.receiver.answer = 500
    desk.run()
    desk.receiver.answer = 200
    desk.pass_time(61)
    assert desk.run_all() is None
    assert desk.receiver.got()[-3:] == [5, 1, 3]
