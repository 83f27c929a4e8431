"""A turn from beginning to end: match and settle in one transaction, then tell the world."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine

from database.errors import is_passing
from database.session import transaction, trial
from database.transaction import direct_transaction
from engine.terms.rules import band_limits
from queues.bus import NO_SNAPSHOTS, Bus, Replies, Snapshots
from queues.names import room
from services.matching.at_fault import take_out
from services.matching.books import Books, StuckStock
from services.matching.match import Hooks, find_at_fault, match_turn
from services.matching.poison import BrokenTurn, PoisonCommand
from services.matching.turn import TakenStock, Turn
from services.settlement.account_events import brokers_to_tell
from services.settlement.turn_records import Announcement
from services.stocks.state_facts import state_facts
from services.timestamps import moment
from settings.sections import Settings
from workers.faults import reach

log = logging.getLogger(__name__)


class Matcher:
    """Matches stocks and keeps their books between turns."""

    def __init__(self, engine: Engine, bus: Bus, settings: Settings, turn_limit: int) -> None:
        """`settings`: what is told of new trading states besides follows from them."""
        self.engine = engine
        self.bus = bus
        self.settings = settings
        self.turn_limit = turn_limit
        self.books = Books()
        self._long_timeout = False
        """Whether the last turn was lost: perhaps it took longer than PostgreSQL bears, and would again."""
        self.tells_later = False
        """Whether a turn's messages wait until PostgreSQL is at work on the next one. Books and replies never wait; the
        caller calls `tell` when there is no next turn."""
        self._untold: list[Turn] = []
        self.note: Callable[[], None] = lambda: None
        """Called where a long turn has come a step further."""

    def run_once(self, symbols: Sequence[str]) -> bool:
        """Take one turn over these stocks; True if commands were left for another turn.

        Raises what will pass (`database.errors`), when the same can be tried again, and StuckStock for one that is
        better left out; nothing happened then. A command that breaks the turn is found by taking its commands one by
        one, and refused; the others go on.
        """
        try:
            turn = self._turn(symbols, self.turn_limit)
        except BrokenTurn as broken:
            log.error(
                "a turn of %d commands broke and is repeated one by one: %r", len(broken.command_ids), broken.__cause__
            )
            return self._one_by_one(symbols, len(broken.command_ids))
        return turn.more

    def _one_by_one(self, symbols: Sequence[str], commands: int) -> bool:
        for _ in range(commands):
            try:
                turn = self._turn(symbols, 1)
            except BrokenTurn as broken:
                turn = self._mended(symbols, broken)
            if not turn.commands:
                return False
        return True

    def _mended(self, symbols: Sequence[str], broken: BrokenTurn) -> Turn:
        """The turn of the one command that broke it, once the resting orders at fault are gone; else it is refused."""
        while at_fault := self._take_out(symbols, broken.command_ids[0]):
            log.error("orders %s are taken out: they break whoever trades with them", at_fault)
            try:
                return self._turn(symbols, 1, broken.command_ids[0])
            except BrokenTurn as again:
                broken = again
        return self._refuse(symbols, broken)

    def _take_out(self, symbols: Sequence[str], command_id: int) -> list[int]:
        """Cancel the resting orders at fault that this command breaks; their ids, none where nothing could be done."""
        try:
            with trial(self.engine) as session:
                stock_id, orders = find_at_fault(session, symbols, self.books, command_id)
        except Exception as error:
            if is_passing(error):
                raise
            log.info(
                "command %d breaks before anything is stored, so no other order is at fault: %r", command_id, error
            )
            return []
        finally:
            self.books.forget_all()
        if not orders:
            return []
        with transaction(self.engine) as session:
            cancels = take_out(session, stock_id, orders)
        try:
            for cancel in cancels:
                self._turn(symbols, 1, cancel)
        except BrokenTurn as broken:
            self._refuse(symbols, broken)
            return []
        return [order.order_id for order in orders]

    def _refuse(self, symbols: Sequence[str], broken: BrokenTurn) -> Turn:
        poison = PoisonCommand(broken.command_ids[0], broken.__cause__ or broken)
        log.error("command %d is refused, it breaks the matching:\n%s", poison.command_id, poison.report())
        try:
            return self._turn(symbols, 1, poison)
        except BrokenTurn as again:
            raise StuckStock(broken.symbols[0]) from again.__cause__

    def _turn(self, symbols: Sequence[str], limit: int, only: PoisonCommand | int | None = None) -> Turn:
        turn = self._settled(symbols, limit, only)
        self.note()
        reach("after_commit")
        self._say_states(turn)
        try:
            turn.committed(self.books)
        except Exception:
            log.exception("a turn of %d commands is settled but its books could not be shown", turn.commands)
            self.books.forget_all()
        if turn.commands:
            self._untold.append(turn)
            if self.tells_later:
                self.bus.show(turn.snapshots, turn.replies)
            else:
                self.tell(turn.snapshots, turn.replies)
        return turn

    def tell(self, snapshots: Snapshots = NO_SNAPSHOTS, replies: Replies = ()) -> None:
        """Tell what has not been told yet; logs what goes wrong with it. `snapshots` and `replies` go along."""
        untold, self._untold = self._untold, []
        for turn in untold:
            messages: list[dict[str, Any]] = []
            try:
                messages = [
                    {"room": room(*message.room), "event": message.event, "payload": message.payload}
                    for message in turn.messages
                ]
            except Exception:
                log.exception("a turn of %d commands is settled but could not be told", turn.commands)
            self.bus.announce(messages, snapshots, replies, list(turn.snapshots))
            settled = turn.settled
            if settled is not None and (brokers := brokers_to_tell(settled.outcome) | settled.busts.receivers):
                self.bus.wake_senders(brokers)

    @staticmethod
    def _say_states(turn: Turn) -> None:
        """In the log: whoever asked, an operator, the schedule or a trade too far from the last."""
        for said in turn.settled.outcome.announcements if turn.settled else ():
            log.info("%s is %s now: %s", said.symbol, said.change.state, said.change.reason or "no reason was given")

    def _settled(self, symbols: Sequence[str], limit: int, only: PoisonCommand | int | None) -> Turn:
        committed = False
        try:
            with direct_transaction(self.engine) as session:
                self.note()
                hooks = Hooks(self._before_commit, self.tell, self._about_state, self.settings.clearing)
                turn = match_turn(session, symbols, self.books, limit, only, hooks, self._long_timeout)
            committed = True
        finally:
            self._long_timeout = not committed
            if not committed:
                self.books.forget_all()
        return turn

    def _about_state(self, stock: TakenStock, said: Announcement) -> Mapping[str, Any]:
        row, turn, book = stock
        limits = band_limits(book.reference, row.band_bps, row.tick_size)
        return state_facts(row, said.change.state, said.change.reason, moment(turn.now), limits, self.settings)

    def _before_commit(self) -> None:
        self.note()
        reach("before_commit")
