"""One's own account as the exchange has it: orders and fills, kept up by events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from .book import OutOfStep
from .errors import Refused
from .exchange import Exchange
from .placing import MOST_PLACED, PlacedOrders
from .shapes import AccountEvent, Fill, Order

MOST_LOOKS: Final = 20


class AccountMirror(PlacedOrders):
    """All orders that still work, those that were placed through it, and every fill since it began.

    Feed it with the events of the channel `account`, as `Follower` does; it reads what there is by itself, at the
    beginning and whenever everything begins anew. Several threads may look at it. A program that runs for months says
    how many fills it `remembers`, and how many of its orders that have ended: left out, all fills and 20,000 orders.
    """

    channel: Final = "account"

    def __init__(self, exchange: Exchange, *, remembers: int | None = None) -> None:
        super().__init__(exchange, MOST_PLACED if remembers is None else remembers)
        self.account_sequence: int | None = None
        """The number of the last event that is in it; None as long as nothing is known."""
        self._fills: dict[int, dict[str, Any]] = {}
        self._most_fills = remembers
        self._left_at: int | None = None
        """How far it was when it was made to forget: fills behind that are read."""

    @property
    def is_ready(self) -> bool:
        """Whether it knows what there is."""
        return self.account_sequence is not None

    def fills(self) -> list[Fill]:
        """The fills since it began, oldest first, each once; the latest ones, where it `remembers` only so many."""
        with self._lock:
            return [cast(Fill, self._fills[number]) for number in sorted(self._fills)]

    def take(self, name: str, payload: dict[str, Any]) -> None:
        """Heed one event; those of other channels change nothing. Raises OutOfStep."""
        if name == "RESET":
            self.forget()
            self._begin()
        elif name == "HEARTBEAT":
            self._compare(payload["channels"].get(self.channel))
        elif "account_sequence" in payload:
            self._count(name, payload)

    def forget(self) -> None:
        """Be sure of nothing any more: what is known is of before."""
        with self._lock:
            if self.account_sequence is not None:
                self._left_at, self.account_sequence = self.account_sequence, None

    def _begin(self) -> None:
        """Read what there is; where it changes meanwhile, again."""
        before = self._newest()
        for _ in range(MOST_LOOKS):
            orders = list(self._exchange.orders(status="open"))
            after = self._newest()
            if after == before:
                break
            before = after
        missed = [] if self._left_at is None or self._left_at > before else list(self._missed(self._left_at))
        with self._lock:
            self.account_sequence = before
            self._orders = {}
            for event in missed:
                if event["account_sequence"] <= before:
                    self._heed(event["event"], event["payload"])
            for order in orders:
                self._note(order)

    def _missed(self, after: int) -> Iterator[AccountEvent]:
        """What happened behind this number; nothing where all numbers have begun anew."""
        try:
            yield from self._exchange.account_events(after=after)
        except Refused as refused:
            if refused.code != "start_anew":
                raise

    def _newest(self) -> int:
        """The number of the last event of one's own."""
        try:
            list(self._exchange.account_events(after=2**53 - 1))
        except Refused as refused:
            return int(refused.facts["newest"])
        raise OutOfStep("the exchange does not say how far it is")

    def _count(self, name: str, payload: dict[str, Any]) -> None:
        if self.account_sequence is None:
            self._begin()
        with self._lock:
            known, number = self.account_sequence or 0, payload["account_sequence"]
            if number <= known:
                return  # what was read at the beginning is newer
            if number != known + 1:
                raise OutOfStep(f"the account goes from {known} to {number}")
            self.account_sequence = number
            self._heed(name, payload)

    def _heed(self, name: str, payload: dict[str, Any]) -> None:
        if not name.startswith("ORDER_"):
            self._correct(name, payload)
            return
        order = dict(payload)
        if name == "ORDER_FILLED":
            self._fills[payload["account_sequence"]] = {"busted": False, "adjusted_from": None, **payload}
            while self._most_fills is not None and len(self._fills) > self._most_fills:
                del self._fills[next(iter(self._fills))]
            order |= {"price": payload["order_price"], "quantity": payload["order_quantity"]}
        self._note(cast(Order, order))

    def _correct(self, name: str, payload: dict[str, Any]) -> None:
        """A fill was taken back, or stands at another price."""
        for fill in self._fills.values():
            if (fill["trade_id"], fill["order_id"]) == (payload["trade_id"], payload["order_id"]):
                if name == "TRADE_BUSTED":
                    fill["busted"] = True
                else:
                    fill |= {"price": payload["price"], "adjusted_from": payload["old_price"]}

    def _compare(self, number: int | None) -> None:
        if number is None:
            return
        if self.account_sequence is None:
            self._begin()
        elif number > self.account_sequence:
            raise OutOfStep(f"the account is at {number}, not {self.account_sequence}")
