"""Take orders, cancels and amendments in: from checked requests to a filled inbox and a woken worker. Knows no HTTP.

What waits at the same moment is stored together, in one transaction, and each request gets its own answer; a lone
order is a batch of one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from api.http.problems import OutcomeUnknown
from api.intake.auto_listing import list_unknown
from api.intake.backpressure import Backpressure
from api.intake.group_commit import GroupCommit, Meaning
from api.intake.rules_cache import RulesCache
from api.intake.wakeup_sender import WakeupSender
from api.runtime.database import Database, Lane
from background import Tasks
from database.errors import is_passing, sqlstate
from engine.terms.order_types import MARKET
from queues.wakeups import Wakeups
from services.errors import Failed, MarketError
from services.order_entry.changing.amend import amend_orders
from services.order_entry.changing.amendments import Amendment
from services.order_entry.changing.cancel import Cancel, cancel_orders
from services.order_entry.changing.close_positions import Closing, ask_to_close
from services.order_entry.placing.answers import Placed
from services.order_entry.placing.memory import OrderMemory
from services.order_entry.placing.place import place_orders
from services.order_entry.requests import NewOrder, QueuedCommand
from services.stocks.listing import StockRules, unknown_stock
from settings.sections import Settings

Accepted = TypeVar("Accepted")


class Intake:
    """Stores orders, cancels and amendments, and wakes the workers of their stocks.

    Its methods raise what the database raises: then nothing was stored, except with OutcomeUnknown.
    """

    def __init__(
        self, database: Database, wakeups: Wakeups, backpressure: Backpressure, settings: Settings, tasks: Tasks
    ) -> None:
        self._database = database
        self._backpressure = backpressure
        self._wakeups = WakeupSender(wakeups, tasks)
        self._settings = settings
        self._rules = RulesCache()
        self._memory = OrderMemory(settings.fees)
        self._strange: GroupCommit[str, bool] = GroupCommit(self._are_listed, lambda _: Meaning.FINAL)
        self._orders: GroupCommit[NewOrder, Placed | MarketError] = GroupCommit(self._place, meaning_of)
        self._cancels: GroupCommit[Cancel, QueuedCommand | MarketError] = GroupCommit(self._cancel, meaning_of)
        self._amendments: GroupCommit[Amendment, QueuedCommand | MarketError] = GroupCommit(self._amend, meaning_of)

    def place(self, orders: Sequence[NewOrder]) -> Sequence[Placed | MarketError | Failed]:
        """One answer for each order, in the same order; durable when this returns."""
        # One with a client_order_id may have come before, or reuse it: only what stores orders can tell.
        unlisted = self._unlisted({each.request.symbol for each in orders if each.request.client_order_id is None})
        refused = [None if each.request.client_order_id else unlisted.get(each.request.symbol) for each in orders]
        rest = [order for order, refusal in zip(orders, refused, strict=True) if refusal is None]
        placed = iter(self._orders.submit_all(rest))
        return [refusal or next(placed) for refusal in refused]

    def place_one(self, order: NewOrder) -> Placed:
        """The order as it was stored, or was known before. Raises the refusal."""
        (answer,) = self.place([order])
        if isinstance(answer, Failed):
            raise answer.error
        return _accepted(answer)

    def cancel(self, request: Cancel) -> QueuedCommand:
        """The order to be cancelled, as it stands. Raises UnknownOrder, NotYourOrder."""
        return _accepted(self._cancels.submit(request))

    def amend(self, request: Amendment) -> QueuedCommand:
        """The order to be amended, as it stands. Raises what `amend_orders` returns."""
        return _accepted(self._amendments.submit(request))

    def close(self, broker_id: int, symbol: str | None, reply_to: str) -> list[Closing]:
        """Each position of the broker, or that in `symbol`, with its command or refusal. Raises what `ask_to_close`
        raises."""
        self._backpressure.look()
        settings, refusal = self._settings, self._backpressure.refusal
        closings = self._database.run(
            lambda session: ask_to_close(session, broker_id, settings.market, settings.fees, symbol, reply_to, refusal)
        )
        self._wake_all(closing.asked for closing in closings if isinstance(closing.asked, QueuedCommand))
        return closings

    def _unlisted(self, symbols: Set[str]) -> dict[str, MarketError]:
        """Refusals of those that are not listed: looked up apart, so that orders for them hold up no others."""
        if self._settings.exchange.list_unknown_symbols:
            return {}
        strange = list(self._rules.strange(symbols))
        refusals: dict[str, MarketError] = {}
        for symbol, answer in zip(strange, self._strange.submit_all(strange), strict=True):
            if isinstance(answer, Failed):
                raise answer.error
            if not answer:
                refusals[symbol] = unknown_stock(symbol, "symbol")
        return refusals

    def _are_listed(self, symbols: Sequence[str]) -> list[bool]:
        with self._database.looking() as session:
            unlisted = self._rules.unlisted(session, set(symbols))
        return [symbol not in unlisted for symbol in symbols]

    def _place(self, orders: Sequence[NewOrder]) -> list[Placed | MarketError | Failed]:
        self._backpressure.look()
        rules = self._rules_for(orders)
        refused = {n: refusal for n, order in enumerate(orders) if (refusal := self._too_deep(rules, order))}
        rest = {n: order for n, order in enumerate(orders) if n not in refused}
        placed = self._placed(list(rest.values()), rules) if rest else []
        answers: dict[int, Placed | MarketError | Failed] = {**refused, **dict(zip(rest, placed, strict=True))}
        new = ((n, answer) for n, answer in answers.items() if isinstance(answer, Placed) and not answer.known)
        self.wake((orders[n].request.symbol, answer.group_name) for n, answer in new)
        return [answers[n] for n in range(len(orders))]

    def _placed(
        self, orders: Sequence[NewOrder], rules: Mapping[str, StockRules]
    ) -> Sequence[Placed | MarketError | Failed]:
        settings, commit = self._settings, partial(self._database.run_autocommitted, Lane.ORDERS)
        now = datetime.now(UTC)
        return place_orders(commit, orders, rules, settings.market, now, settings.limits, self._memory)

    def _too_deep(self, rules: Mapping[str, StockRules], order: NewOrder) -> MarketError | None:
        stock = rules.get(order.request.symbol)
        return None if stock is None else self._backpressure.refusal(stock.group_name)

    def _cancel(self, requests: Sequence[Cancel]) -> list[QueuedCommand | MarketError]:
        answers = self._database.run_autocommitted(Lane.CANCELS, lambda session: cancel_orders(session, requests))
        self._wake_all(
            queued for queued in answers if isinstance(queued, QueuedCommand) and queued.command_id is not None
        )
        return answers

    def _amend(self, requests: Sequence[Amendment]) -> list[QueuedCommand | MarketError]:
        self._backpressure.look()
        market, refusal = self._settings.market, self._backpressure.refusal
        answers = self._database.run(
            lambda session: amend_orders(session, requests, market, datetime.now(UTC), refusal)
        )
        self._wake_all(queued for queued in answers if isinstance(queued, QueuedCommand))
        return answers

    def forget_rules(self) -> None:
        """Ask for the rules of stocks anew: a state has just changed."""
        self._rules.forget()

    def wake(self, stocks: Iterable[tuple[str, str]]) -> None:
        """Wake the workers of these stocks (symbol, group), whose inboxes others have filled."""
        if news := dict.fromkeys(stocks):
            self._wakeups.send(news)

    def _wake_all(self, commands: Iterable[QueuedCommand]) -> None:
        self.wake((command.symbol, command.group_name) for command in commands)

    def _rules_for(self, orders: Collection[NewOrder]) -> dict[str, StockRules]:
        """The rules of the orders' stocks as remembered; for market orders as they are now, for their protection."""
        symbols = {order.request.symbol for order in orders}
        if self._settings.exchange.list_unknown_symbols:
            list_unknown(self._database, self._rules, self._settings, symbols)
        urgent = {order.request.symbol for order in orders if order.request.order_type == MARKET}
        with self._database.looking() as session:
            rules = self._rules.fresh(session, urgent) if urgent else {}
            return {**rules, **self._rules.recent(session, symbols - urgent)}


def meaning_of(error: Exception) -> Meaning:
    """What an error says of the requests that were stored together.

    Refused is what PostgreSQL, or the market, surely did not do. A passing error, such as no database, holds for all;
    so does the outcome that is unknown. A fault of ours may have come before the commit, or after it.
    """
    if isinstance(error, OutcomeUnknown) or is_passing(error):
        return Meaning.FINAL
    if isinstance(error, MarketError) or (isinstance(error, DBAPIError) and sqlstate(error)):
        return Meaning.REFUSED
    return Meaning.UNKNOWN


def _accepted(answer: Accepted | MarketError) -> Accepted:
    if isinstance(answer, MarketError):
        raise answer
    return answer
