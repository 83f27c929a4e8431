"""Take orders in: from checked wishes to stored orders and a woken worker. Knows no HTTP.

It takes any number of wishes at once and gives each its own answer, in order; a lone order is a batch of one.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from api.backpressure import Backpressure
from api.database import Database
from api.group_commit import GroupCommit
from api.problems import OutcomeUnknown
from api.rules_cache import RulesCache
from config import Settings
from models.trouble import is_passing
from queues.wakeups import Wakeups
from services.errors import MarketError, StockExists, UnknownStock
from services.listing import StockRules, list_stock
from services.place import Placed, place_orders
from services.store_orders import NewOrder

log = logging.getLogger(__name__)

DEADLOCK = "40P01"


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as its broker asked for it: prices in cents, quantity in shares."""

    symbol: str
    document_number: str
    side: str
    order_type: str
    time_in_force: str
    price: int | None
    quantity: int
    fingerprint: bytes
    valid_until: datetime | None = None
    self_trade_prevention: str | None = None
    client_order_id: str | None = None


ASKED_FOR = tuple(field.name for field in fields(Wish) if field.name != "symbol")


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish, whose it is, and who waits for the book's answer."""

    broker_id: int
    wish: Wish
    reply_to: str | None = None


class Intake:
    """Stores orders and wakes the workers of their stocks."""

    def __init__(self, database: Database, wakeups: Wakeups, backpressure: Backpressure, settings: Settings) -> None:
        self._database = database
        self._backpressure = backpressure
        self._wakeups = wakeups
        self._settings = settings
        self._rules = RulesCache()
        self._groups: GroupCommit[Asked, Placed | MarketError] = GroupCommit(self.place, _holds_for_all)

    def place_one(self, asked: Asked) -> Placed | MarketError:
        """The answer to one order, stored together with those that other threads bring at the same moment.

        Raises like `place`.
        """
        return self._groups.submit(asked)

    def place(self, asked: Sequence[Asked]) -> list[Placed | MarketError]:
        """One answer for each, in the same order; durable when this returns.

        Raises what the database raises: then nothing was stored, except with OutcomeUnknown.
        """
        self._backpressure.look()
        self._list_unknown(asked)
        try:
            answers, stocks = self._store(asked)
        except (IntegrityError, OperationalError) as error:
            if not _worth_another_try(error):
                raise
            answers, stocks = self._store(asked)
        if stocks:
            self._wakeups.wake(stocks)
        return answers

    def _store(self, asked: Sequence[Asked]) -> tuple[list[Placed | MarketError], list[tuple[str, str]]]:
        """The answers, and the (symbol, group) of each stock whose inbox has something new."""
        answers: dict[int, Placed | MarketError] = {}
        orders: dict[int, NewOrder] = {}
        with self._database.writing() as session:
            rules = self._rules_for(session, asked)
            for n, one in enumerate(asked):
                stock = rules.get(one.wish.symbol)
                if stock is None:
                    answers[n] = UnknownStock(f"There is no stock {one.wish.symbol}.", field="symbol")
                elif refusal := self._backpressure.refusal(stock.group_name):
                    answers[n] = refusal
                else:
                    orders[n] = _new_order(one, stock)
            placed = place_orders(session, list(orders.values()), self._settings.market, datetime.now(UTC))
            answers.update(zip(orders, placed, strict=True))
        news = {
            (order.stock.symbol, order.stock.group_name): None
            for n, order in orders.items()
            if isinstance(answer := answers[n], Placed) and not answer.known
        }
        return [answers[n] for n in range(len(asked))], list(news)

    def _rules_for(self, session: Session, asked: Sequence[Asked]) -> dict[str, StockRules]:
        symbols = {one.wish.symbol for one in asked}
        urgent = {one.wish.symbol for one in asked if one.wish.order_type == "market"}
        rules = self._rules.fresh(session, sorted(urgent)) if urgent else {}
        return {**rules, **self._rules.recent(session, sorted(symbols - urgent))}

    def _list_unknown(self, asked: Sequence[Asked]) -> None:
        """Where the settings say so, an order for a symbol that nobody listed lists it."""
        if not self._settings.exchange.list_unknown_symbols:
            return
        symbols = sorted({one.wish.symbol for one in asked})
        with self._database.reading() as session:
            known = self._rules.recent(session, symbols)
        for symbol in symbols:
            if symbol not in known:
                self._list(symbol)

    def _list(self, symbol: str) -> None:
        group = self._settings.match.groups[0]
        try:
            with self._database.writing() as session:
                list_stock(session, symbol=symbol, name=symbol, market=self._settings.market, group=group)
        except StockExists:
            log.debug("%s was listed by another order at the same moment", symbol)
        else:
            log.info("listed %s for an order", symbol)


def _holds_for_all(error: BaseException) -> bool:
    """The database is away, or a commit's outcome unknown: trying a group's orders one by one would not help."""
    return isinstance(error, OutcomeUnknown) or is_passing(error)


def _new_order(asked: Asked, stock: StockRules) -> NewOrder:
    wish = {name: getattr(asked.wish, name) for name in ASKED_FOR}
    return NewOrder(broker_id=asked.broker_id, stock=stock, reply_to=asked.reply_to, **wish)


def _worth_another_try(error: IntegrityError | OperationalError) -> bool:
    """The same client_order_id stored at the same moment is known the second time; a deadlock is gone.

    So is a connection that PostgreSQL closed while nobody used it. None of these was at the commit.
    """
    return (
        isinstance(error, IntegrityError)
        or error.connection_invalidated
        or getattr(error.orig, "sqlstate", None) == DEADLOCK
    )
