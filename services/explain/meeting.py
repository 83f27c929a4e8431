"""Whom an order met: the places in the queues of the other side, and what was taken from each.

Nothing is told of others that the book and the tape have not shown. So an iceberg is told by the parts that it showed,
each as a place of its own since it got it; nobody can tell which places were of one order. In an auction what it hides
takes part: how much of that traded is told in one sum, which follows from the volume and the book.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from engine.terms.codes import SELF_TRADE_PREVENTION
from engine.terms.events import AuctionTrade, Cancelled, Event, Trade
from engine.terms.orders import Order
from services.explain.queues import Place, Queues


@dataclass(slots=True)
class Met:
    """A place that an order met: `quantity` is what it showed before, `taken` what was traded of that (shares).

    `prevented` is what self-trade prevention took of it, `since` microseconds or None.
    """

    order: Order
    price: int | None
    quantity: int
    since: int | None
    number: int
    taken: int = 0
    prevented: int = 0
    is_asked_about: bool = False
    """Whether the trade that is asked about took from it."""


class Meeting:
    """The places of one side, from the moment at which the order came that met them."""

    def __init__(self, queues: Queues, trade: Trade, side: int, events_before: int = 0) -> None:
        """`events_before`: how many the command had brought by then."""
        self.queues = queues
        self.events_before = events_before
        self._trade = trade
        self._side = side
        self._in_auction = isinstance(trade, AuctionTrade)
        self.first_new_number = queues.next_number
        """Of the places that orders got since then."""
        self._met: dict[Hashable, list[Met]] = {}
        self.hidden_taken = 0
        """Shares traded in an auction of what icebergs had not shown."""

    def watch(self, event: Event) -> None:
        """Before the queues take `event`: note what it takes from the places."""
        match event:
            case AuctionTrade(quantity=quantity) if self._in_auction:
                order = event.maker if event.maker.side == self._side else event.taker
                met = self._place(order)
                shown = min(quantity, met.quantity - met.taken)
                met.taken += shown
                met.is_asked_about |= event is self._trade
                self.hidden_taken += quantity - shown
            case Trade(maker=maker, quantity=quantity) if event.taker is self._trade.taker:
                met = self._place(maker)
                met.taken += quantity
                met.is_asked_about |= event is self._trade
            case Cancelled(order=order, quantity=quantity, reason=reason) if reason == SELF_TRADE_PREVENTION:
                if order is not self._trade.taker and order.id in self.queues.places:
                    self._place(order).prevented += quantity

    def levels(self) -> list[list[Met]]:
        """The levels that were reached, best first, each with its places in the order of their priority."""
        touched = [met for places in self._met.values() for met in places]
        if not touched:
            return []
        worst = min(self._key(met.price) for met in touched)
        untouched = [
            _met(place)
            for place in self.queues.of_side(self._side)
            if place.number < self.first_new_number
            and place.order.id not in self._met
            and (place.price is not None or self._in_auction)
            and self._key(place.price) >= worst
        ]
        by_key: dict[tuple[int, int], list[Met]] = {}
        for met in sorted([*touched, *untouched], key=lambda met: met.number):
            by_key.setdefault(self._key(met.price), []).append(met)
        return [by_key[key] for key in sorted(by_key, reverse=True)]

    def _place(self, order: Order) -> Met:
        """What is noted of the place where `order` stands now."""
        place = self.queues.places[order.id]
        noted = self._met.setdefault(order.id, [])
        if not noted or noted[-1].number != place.number:
            noted.append(_met(place))
        return noted[-1]

    def _key(self, price: int | None) -> tuple[int, int]:
        """Better levels have larger keys; market orders come before all."""
        return (1, 0) if price is None else (0, price * self._side)


def _met(place: Place) -> Met:
    return Met(place.order, place.price, place.shown, place.since, place.number)


def meeting_of(events: Sequence[Event], trade: Trade, queues: Queues, side: int) -> Meeting:
    """Go along with `events`, those of a command, to the end of the match that brought `trade`, one of them.

    `queues` are as they were before. `side` is asked about: in an auction either, else that of the resting orders.
    """
    if isinstance(trade, AuctionTrade):
        return _auction(events, Meeting(queues, trade, side))
    meeting: Meeting | None = None
    for number, event in enumerate(events, 1):
        if meeting is not None:
            meeting.watch(event)
        queues.take(event)
        if queues.incoming is trade.taker:
            meeting = meeting or Meeting(queues, trade, side, number)
        elif meeting is not None:
            break
    assert meeting is not None  # noqa: S101 - the order that took has come
    return meeting


def _auction(events: Sequence[Event], meeting: Meeting) -> Meeting:
    last = max(number for number, event in enumerate(events) if isinstance(event, AuctionTrade))
    for event in events[: last + 1]:
        meeting.watch(event)
        meeting.queues.take(event)
    return meeting
