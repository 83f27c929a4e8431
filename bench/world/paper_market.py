"""The simulated traders on the bare engine: hours of a stock in seconds, the same each time; no servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from engine import ASK, BID, Accepted, Book, New, Order, Rules, Trade, band_limits
from engine import Cancel as CancelCommand
from simulator import Cancel, OwnOrder, Place, SimulatedStock, View
from simulator.view import Action, Side

BAND_BPS: Final = 1_000
DEPTH: Final = 10

Kind = Literal["new", "cancel", "trade"]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that the market's data would tell; prices in cents, quantities in shares, times in seconds."""

    at: float
    kind: Kind
    side: Side
    """Of the order that rests, or rested."""
    price: int
    quantity: int


@dataclass
class PaperMarket:
    """One stock that begins at `price`, without accounts: what an order would reserve, everybody has."""

    stock: SimulatedStock
    price: int
    tick: int = 1
    happened: list[Happening] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.book = Book(Rules(tick=self.tick, band_bps=BAND_BPS), reference=self.price)
        self._lowest, self._highest = band_limits(self.price, BAND_BPS, self.tick)
        self._orders: dict[int, Order] = {}
        self._traders: dict[int, str] = {}
        self._holdings: dict[str, int] = {}
        self._next_id = 1

    def run(self, seconds: float) -> Iterator[View]:
        """Each arrival's view, before what it does."""
        for action in self.stock.open(self.view(0.0)):
            self._carry_out(action, 0.0)
        while self.stock.next_at < seconds:
            view = self.view(self.stock.next_at)
            yield view
            for action in self.stock.act(view):
                self._carry_out(action, view.now)

    def view(self, now: float) -> View:
        """The market as it is."""
        self._orders = {number: order for number, order in self._orders.items() if order.remaining}
        return View(
            now=now,
            bids=[(price, shares) for price, shares, _ in self.book.depth(BID, DEPTH)],
            asks=[(price, shares) for price, shares, _ in self.book.depth(ASK, DEPTH)],
            tick=self.tick,
            lot=1,
            lowest=self._lowest,
            highest=self._highest,
            orders=[self._own(number, order) for number, order in self._orders.items()],
            holdings=self._holdings,
        )

    def _own(self, number: int, order: Order) -> OwnOrder:
        side: Side = "bid" if order.side == BID else "ask"
        return OwnOrder(number, self._traders[number], side, order.price or 0, order.remaining)

    def _carry_out(self, action: Action, now: float) -> None:
        if isinstance(action, Cancel):
            self.happened.append(
                Happening(now, "cancel", action.order.side, action.order.price, action.order.remaining)
            )
            self.book.apply(CancelCommand(action.order.order_id), int(now * 1e6))
            self._orders.pop(action.order.order_id, None)
        else:
            self._place(action, now)

    def _place(self, action: Place, now: float) -> None:
        number, self._next_id = self._next_id, self._next_id + 1
        side = BID if action.side == "bid" else ASK
        order = Order(
            number, number, side, "limit", action.price, action.quantity, tif="ioc" if action.at_once else "gtc"
        )
        self._traders[number] = action.trader
        for event in self.book.apply(New(order), int(now * 1e6)):
            if isinstance(event, Trade):
                resting: Side = "bid" if event.maker.side == BID else "ask"
                self.happened.append(Happening(now, "trade", resting, event.price, event.quantity))
                for one, trader in ((event.maker, self._traders[int(str(event.maker.id))]), (order, action.trader)):
                    self._holdings[trader] = self._holdings.get(trader, 0) + one.side * event.quantity
            elif isinstance(event, Accepted) and not action.at_once:
                self.happened.append(Happening(now, "new", action.side, action.price, action.quantity))
        if order.remaining and not action.at_once:
            self._orders[number] = order
