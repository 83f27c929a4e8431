"""Group commit: requests that wait at the same moment are stored together, in one transaction.

The first to come goes at once and alone; those that come while it is at work wait, and one of them then takes all that
have gathered. So a lone request waits for nobody, and the busier the exchange, the larger the groups.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from services.errors import Failed

Request = TypeVar("Request")
Answer = TypeVar("Answer")

MOST = 200
"""Wishes in one group, unless one request alone brings more: a larger statement gains nothing and takes longer."""


class _Ticket(Generic[Request, Answer]):
    """What one request requests; its thread is woken once, with answers or with the lead."""

    __slots__ = ("answers", "leads", "requests", "woken")

    def __init__(self, requests: Sequence[Request]) -> None:
        self.requests = requests
        self.woken = threading.Lock()
        self.woken.acquire()
        self.answers: Sequence[Answer | Failed] = ()
        self.leads = False


class GroupCommit(Generic[Request, Answer]):
    """Runs requests in groups through `store`, which gives one answer for each, in their order.

    An answer may be Failed; `store` raises only when it has done nothing.

    When `store` raises for a group, its requests are tried one by one, so that each gets the answer that it would have
    got alone; unless `is_final` says that the error holds for all of them, such as a lost database.
    """

    def __init__(
        self,
        store: Callable[[Sequence[Request]], Sequence[Answer | Failed]],
        is_final: Callable[[BaseException], bool],
        most: int = MOST,
    ) -> None:
        self._store = store
        self._is_final = is_final
        self._most = most
        self._mutex = threading.Lock()
        self._waiting: deque[_Ticket[Request, Answer]] = deque()
        self._led = False

    def submit(self, request: Request) -> Answer:
        """The answer to `request`, when its group is durable. Raises what `store` raised for it."""
        (answer,) = self.submit_all([request])
        if isinstance(answer, Failed):
            raise answer.error
        return answer

    def submit_all(self, requests: Sequence[Request]) -> Sequence[Answer | Failed]:
        """One answer for each, in the same order, when all are durable; they are not torn apart."""
        ticket: _Ticket[Request, Answer] = _Ticket(requests)
        with self._mutex:
            self._waiting.append(ticket)
            ticket.leads = not self._led
            self._led = True
        if not ticket.leads:
            ticket.woken.acquire()
        if ticket.leads:
            self._lead()
        return ticket.answers

    def _lead(self) -> None:
        """Store one group, whose first is this thread's own, wake its members, and pass the lead on."""
        with self._mutex:
            group = self._gather()
        try:
            answers = self._answers([request for ticket in group for request in ticket.requests])
            for ticket in group:
                ticket.answers, answers = answers[: len(ticket.requests)], answers[len(ticket.requests) :]
        finally:
            with self._mutex:
                heir = self._waiting[0] if self._waiting else None
                self._led = heir is not None
            for ticket in group:
                if not ticket.leads:
                    ticket.woken.release()
            if heir is not None:
                heir.leads = True
                heir.woken.release()

    def _gather(self) -> list[_Ticket[Request, Answer]]:
        group = [self._waiting.popleft()]
        room = self._most - len(group[0].requests)
        while self._waiting and len(self._waiting[0].requests) <= room:
            group.append(self._waiting.popleft())
            room -= len(group[-1].requests)
        return group

    def _answers(self, requests: Sequence[Request]) -> Sequence[Answer | Failed]:
        try:
            return self._store(requests)
        except BaseException as error:  # noqa: BLE001 - whoever waits must be told, whatever it was
            if len(requests) == 1 or self._is_final(error):
                return [Failed(error)] * len(requests)
        return self._one_by_one(requests)

    def _one_by_one(self, requests: Sequence[Request]) -> Sequence[Answer | Failed]:
        answers: list[Answer | Failed] = []
        for request in requests:
            (answer,) = self._answers([request])
            if isinstance(answer, Failed) and self._is_final(answer.error):
                return [*answers, *[answer] * (len(requests) - len(answers))]
            answers.append(answer)
        return answers
