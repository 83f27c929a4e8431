"""Group commit: requests that wait at the same moment are stored together, in one transaction.

The first to come goes at once and alone; those that come while it is at work wait, and one of them then takes all that
have gathered. So a lone request waits for nobody, and the busier the exchange, the larger the groups.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Generic, TypeVar

from api.http.problems import OutcomeUnknown
from services.errors import Failed
from serving.present import let_in, pause
from serving.short_lock import short_lock

log = logging.getLogger(__name__)

Request = TypeVar("Request")
Answer = TypeVar("Answer")

MOST = 200
"""Requests in one group: a larger statement gains nothing and takes longer."""

GATHERING_SECONDS = 0.01
"""How long a group of somebody who asks for much waits for requests that have not had their turn: a small group costs
nearly as much as a large one."""

PORTION = 10
"""Of one client's before the next one's: who comes with one request does not wait for all of another's five hundred."""

MOST_OF_MANY = 25
"""In one group, of clients who come with more than one: who comes with one waits for a short statement, however many
others come with five hundred."""


class Meaning(Enum):
    """What an error says of a group."""

    REFUSED = "nothing was done, and each request may have an answer of its own"
    FINAL = "it is the answer to all of them"
    UNKNOWN = "they may or may not have been done"


class _Ticket(Generic[Request, Answer]):
    """What one client asks for; its thread is woken with the lead, and when all of it is answered."""

    __slots__ = ("answers", "is_one", "leads", "left", "woken")

    def __init__(self, requests: Sequence[Request]) -> None:
        self.left = deque(requests)
        self.is_one = len(requests) == 1
        self.woken = threading.Lock()
        self.woken.acquire()
        self.answers: list[Answer | Failed] = []
        self.leads = False


class GroupCommit(Generic[Request, Answer]):
    """Runs requests in groups through `store`, which gives one answer for each, in their order.

    An answer may be Failed. What `store` raises for a group is judged by `meaning_of`. Only where surely nothing was
    done are the requests tried one by one, so that each gets the answer that it would have got alone. Whatever else
    happens, the end of the thread or greenlet that leads included, all of them are answered OutcomeUnknown, and those
    who came later are led by another.
    """

    def __init__(
        self,
        store: Callable[[Sequence[Request]], Sequence[Answer | Failed]],
        meaning_of: Callable[[Exception], Meaning],
        most: int = MOST,
    ) -> None:
        self._store = store
        self._meaning_of = meaning_of
        self._most = most
        self._mutex = short_lock()
        self._waiting: deque[_Ticket[Request, Answer]] = deque()
        self._led = False
        self._had_many = False
        """Whether the last group had requests of clients who come with more than one."""

    def submit(self, request: Request) -> Answer:
        """The answer to `request`, when its group is durable. Raises what `store` raised for it."""
        (answer,) = self.submit_all([request])
        if isinstance(answer, Failed):
            raise answer.error
        return answer

    def submit_all(self, requests: Sequence[Request]) -> Sequence[Answer | Failed]:
        """One answer for each, in the same order, when all are durable; many take several groups."""
        if not requests:
            return []
        ticket: _Ticket[Request, Answer] = _Ticket(requests)
        with self._mutex:
            self._waiting.append(ticket)
            ticket.leads = not self._led
            self._led = True
        try:
            while len(ticket.answers) < len(requests):
                if ticket.leads:
                    self._lead(ticket)
                else:
                    ticket.woken.acquire()
        except BaseException:
            self._abandon(ticket)
            raise
        pause()
        return ticket.answers

    def _lead(self, own: _Ticket[Request, Answer]) -> None:
        """Store one group, wake those of it who have all their answers, and pass the lead on."""
        if own.is_one:
            let_in(GATHERING_SECONDS)
        with self._mutex:
            members, requests = self._gather()
        answers: Sequence[Answer | Failed] = [Failed(OutcomeUnknown())] * len(requests)
        try:
            answers = self._answers(requests)
        finally:
            for ticket, answer in zip(members, answers, strict=True):
                ticket.answers.append(answer)
            own.leads = False
            for ticket in dict.fromkeys(members):
                if ticket is not own and not ticket.left:
                    ticket.woken.release()
            self._pass_on(own)

    def _pass_on(self, own: _Ticket[Request, Answer]) -> None:
        """Let the first of those who wait lead; whoever passes on needs no waking."""
        with self._mutex:
            heir = self._waiting[0] if self._waiting else None
            self._led = heir is not None
            if heir is not None:
                heir.leads = True
                if heir is not own:
                    heir.woken.release()

    def _abandon(self, ticket: _Ticket[Request, Answer]) -> None:
        """Whoever waited with this ticket has been ended: unless a group has it already, it is not to be stored."""
        with self._mutex:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
        if ticket.leads:
            self._pass_on(ticket)

    def _gather(self) -> tuple[list[_Ticket[Request, Answer]], list[Request]]:
        """The next requests, a portion of each client's in turn, and beside each whose it is.

        Who comes with one goes apart from those who come with many, if he has waited for a group of theirs.
        """
        members: list[_Ticket[Request, Answer]] = []
        requests: list[Request] = []
        apart = self._had_many and any(ticket.is_one for ticket in self._waiting)
        of_many, later = 0 if apart else MOST_OF_MANY, []
        while self._waiting and len(requests) < self._most:
            ticket = self._waiting.popleft()
            if not (ticket.is_one or of_many):
                later.append(ticket)
                continue
            portion = 1 if ticket.is_one else min(PORTION, len(ticket.left), of_many, self._most - len(requests))
            of_many -= 0 if ticket.is_one else portion
            requests.extend(ticket.left.popleft() for _ in range(portion))
            members.extend([ticket] * portion)
            if ticket.left:
                self._waiting.append(ticket)
        self._waiting.extendleft(reversed(later))
        self._had_many = not all(ticket.is_one for ticket in members)
        return members, requests

    def _answers(self, requests: Sequence[Request]) -> Sequence[Answer | Failed]:
        try:
            return self._store(requests)
        except Exception as error:
            meaning = self._meaning_of(error)
            if meaning is Meaning.UNKNOWN:
                log.exception("whether %d requests were stored is not known", len(requests))
                return [Failed(OutcomeUnknown())] * len(requests)
            if meaning is Meaning.FINAL or len(requests) == 1:
                return [Failed(error)] * len(requests)
        return self._one_by_one(requests)

    def _one_by_one(self, requests: Sequence[Request]) -> Sequence[Answer | Failed]:
        answers: list[Answer | Failed] = []
        for request in requests:
            (answer,) = self._answers([request])
            if isinstance(answer, Failed) and self._meaning_of(answer.error) is not Meaning.REFUSED:
                return [*answers, *[answer] * (len(requests) - len(answers))]
            answers.append(answer)
        return answers
