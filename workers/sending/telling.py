"""Tells one receiver what is due, one message after the other.

In order for each broker: what fails is tried again and holds the others up, until it has failed three times. Then it
is set aside, is tried alone, and the others go on. Where the next fails as well it is the receiver that is not well:
nothing more is set aside, and one delivery is tried again and again to see whether it answers, at least each minute.
A good answer frees what waits; what is tried before its time and fails again is due when it was.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from services.webhooks.claims import PROBE_SECONDS, Hook
from services.webhooks.deliveries import DELIVERED, FAILED, MOST_TOGETHER, PENDING, SET_ASIDE, Result, Waiting
from services.webhooks.signing import signature_headers
from workers.sending.attempts import Attempt
from workers.sending.receiver import Receiver
from workers.sending.retrying import GONE, SET_ASIDE_AFTER, Schedule, rest_after

LONGEST_RUN_SECONDS: Final = 2.0
"""After so long a run ends, for others who wait for their turn; what is under way is waited for."""

ALONE: Final = "minex-set-aside"
"""The header of what is sent out of its order."""

UNSTEADY_SECONDS: Final = 0.25
"""Who has just answered again, and then does not, is asked once more after so long: one of two behind an address may be
well, and what waits shall not go by one message in each step of the schedule.
"""

QUICK_MILLISECONDS: Final = 1_000


@dataclass(frozen=True)
class Sending:
    """How this process sends."""

    sender: str
    """Its name, among all senders."""
    schedule: Schedule
    seconds: float
    """How long an answer may take."""
    receiver_at: Callable[[int, str], Receiver]
    """The receiver of a broker, at a url."""


class Telling:
    """Sends the deliveries of one run, one after the other."""

    def __init__(
        self, hook: Hook, sending: Sending, bodies: Mapping[int, dict[str, Any]], stopped: Callable[[], bool]
    ) -> None:
        self._hook = hook
        self._sending = sending
        self._bodies = bodies
        self._stopped = stopped
        self._receiver = sending.receiver_at(hook.broker_id, hook.url)
        self._began = time.monotonic()
        self._results: list[Result] = []
        self.is_quick: bool | None = None
        """Whether the last answer was good and came soon; None where there was none."""

    def send(self, waiting: Waiting) -> list[Result]:
        """All of them, as far as there is time and they are taken."""
        for delivery in waiting.tests:
            if self._is_over():
                return self._results
            attempt = self._attempt(delivery)
            self._note(delivery, attempt, DELIVERED if attempt.is_good else FAILED)
        for delivery in waiting.in_order:
            if self._is_over() or not self._goes_on(delivery):
                return self._results
        if len(waiting.in_order) == MOST_TOGETHER:
            return self._results
        for delivery in waiting.aside:
            if not self._is_over():
                self._alone(delivery)
        if waiting.probe is not None and not self._is_over():
            self._probe(waiting.probe)
        return self._results

    def _clock(self) -> datetime:
        """The present moment by the database's clock: machines' own may differ."""
        return self._hook.now + timedelta(seconds=time.monotonic() - self._began)

    def _is_over(self) -> bool:
        return self._hook.is_gone or time.monotonic() > self._began + LONGEST_RUN_SECONDS or self._stopped()

    def _goes_on(self, delivery: Any) -> bool:
        """Send what is in order; whether the next one may be sent now."""
        hook, attempt = self._hook, self._attempt(delivery)
        if attempt.is_good:
            self._succeed(delivery, attempt)
            return True
        hook.note_failure(attempt.at)
        tries = delivery.tries + 1
        if tries < SET_ASIDE_AFTER or hook.is_probed or attempt.status_code == GONE:
            wait = self._sending.schedule.wait(tries, attempt, longest=PROBE_SECONDS)
            if tries == 1 and hook.has_recovered:
                wait = max(rest_after(attempt), UNSTEADY_SECONDS)
            self._note(delivery, attempt, PENDING, tries, wait)
            return False
        hook.is_probed = True
        self._set_aside(delivery, attempt, tries)
        return True

    def _alone(self, delivery: Any) -> None:
        """Send what is set aside; if it fails before its time that does not count for it."""
        attempt = self._attempt(delivery, alone=True)
        if attempt.is_good:
            self._succeed(delivery, attempt)
            return
        if self._hook.failing_since is not None:
            self._hook.note_failure(attempt.at)
        if delivery.next_attempt_at > self._hook.now:
            self._keep_time(delivery, attempt)
        else:
            self._set_aside(delivery, attempt, delivery.tries + 1)

    def _probe(self, delivery: Any) -> None:
        """Send one to see whether the receiver is well; if it fails that does not count for it."""
        attempt = self._attempt(delivery, alone=True)
        if attempt.is_good:
            self._succeed(delivery, attempt)
        else:
            self._hook.note_failure(attempt.at)
            self._keep_time(delivery, attempt)

    def _succeed(self, delivery: Any, attempt: Attempt) -> None:
        """A good answer frees what failed before it: of what fails behind it, each waits for its time."""
        if self._hook.failing_since is not None:
            self._results = [
                replace(result, freed_at=attempt.at) if result.status == SET_ASIDE else result
                for result in self._results
            ]
        self._hook.note_success(attempt.at)
        self._note(delivery, attempt, DELIVERED)

    def _keep_time(self, delivery: Any, attempt: Attempt) -> None:
        next_at = max(delivery.next_attempt_at, self._clock() + timedelta(seconds=rest_after(attempt)))
        self._results.append(Result(delivery, attempt.document, SET_ASIDE, delivery.tries, next_at))

    def _set_aside(self, delivery: Any, attempt: Attempt, tries: int) -> None:
        schedule = self._sending.schedule
        if schedule.is_over(tries):
            self._note(delivery, attempt, FAILED, tries)
        else:
            self._note(delivery, attempt, SET_ASIDE, tries, schedule.wait(tries, attempt))

    def _attempt(self, delivery: Any, *, alone: bool = False) -> Attempt:
        body = orjson.dumps(self._bodies[delivery.id])
        now = self._clock()
        headers = signature_headers(self._hook.secrets, str(delivery.id), now, body)
        if alone:
            headers[ALONE] = "true"
        attempt = self._receiver.post(body, headers, self._sending.seconds, now)
        self._hook.is_gone |= attempt.status_code == GONE
        self.is_quick = attempt.is_good and attempt.milliseconds < QUICK_MILLISECONDS
        return attempt

    def _note(
        self, delivery: Any, attempt: Attempt, status: str, tries: int | None = None, wait: float | None = None
    ) -> None:
        next_at = None if wait is None else self._clock() + timedelta(seconds=wait)
        self._results.append(
            Result(delivery, attempt.document, status, delivery.tries if tries is None else tries, next_at)
        )
