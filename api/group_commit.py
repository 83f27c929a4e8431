"""Group commit: requests that wait at the same moment are stored together, by one statement and one commit.

The first to come goes at once and alone; those that come while it is at work wait, and one of them then takes all that
have gathered. So a lone request waits for nobody, and the busier the exchange, the larger the groups.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Wish = TypeVar("Wish")
Answer = TypeVar("Answer")

MOST = 200
"""Wishes in one group: a larger statement gains nothing and lets its first wait longer."""


class _Ticket(Generic[Wish, Answer]):
    """One waiting wish; its thread is woken once, with an answer, an error, or the lead."""

    __slots__ = ("answer", "error", "leads", "wish", "woken")

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.woken = threading.Lock()
        self.woken.acquire()
        self.answer: Answer | None = None
        self.error: BaseException | None = None
        self.leads = False


class GroupCommit(Generic[Wish, Answer]):
    """Runs wishes in groups through `store`, which gives one answer for each, in their order.

    When `store` raises for a group, its wishes are tried one by one, so that each gets the answer that it would have
    got alone; unless `is_final` says that the error holds for all of them, such as a lost database.
    """

    def __init__(
        self,
        store: Callable[[Sequence[Wish]], Sequence[Answer]],
        is_final: Callable[[BaseException], bool],
        most: int = MOST,
    ) -> None:
        self._store = store
        self._is_final = is_final
        self._most = most
        self._mutex = threading.Lock()
        self._waiting: deque[_Ticket[Wish, Answer]] = deque()
        self._led = False

    def submit(self, wish: Wish) -> Answer:
        """The answer to `wish`, when its group is durable. Raises what `store` raised for it."""
        ticket: _Ticket[Wish, Answer] = _Ticket(wish)
        with self._mutex:
            self._waiting.append(ticket)
            ticket.leads = not self._led
            self._led = True
        if not ticket.leads:
            ticket.woken.acquire()
        if ticket.leads:
            self._lead()
        if ticket.error is not None:
            raise ticket.error
        return ticket.answer  # type: ignore[return-value]

    def _lead(self) -> None:
        """Store one group, whose first is this thread's own, wake its members, and pass the lead on."""
        with self._mutex:
            group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            self._run(group)
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

    def _run(self, group: Sequence[_Ticket[Wish, Answer]]) -> None:
        try:
            answers = self._store([ticket.wish for ticket in group])
        except BaseException as error:  # noqa: BLE001 - whoever waits must be told, whatever it was
            if len(group) > 1 and not self._is_final(error):
                for ticket in group:
                    self._run([ticket])
                return
            for ticket in group:
                ticket.error = error
            return
        for ticket, answer in zip(group, answers, strict=True):
            ticket.answer = answer
