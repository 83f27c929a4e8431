"""What the world and the two parties are told of a bust: the tape's event, and an event of one's own for each order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.accounts.bust_events import TRADE_ADJUSTED, TRADE_BUSTED, bust_payload
from services.clearing.busting.bust import BustRun, DecidedBust
from services.timestamps import timestamp

WEBHOOKS: Final = {TRADE_BUSTED: "trade_busted", TRADE_ADJUSTED: "trade_adjusted"}
"""The events as receivers know them."""


@dataclass(slots=True)
class OwnEvent:
    """An event of one's own to be: its number, and that of its delivery where the owner has a receiver for it."""

    sequence: int
    kind: str
    broker_id: int
    fill: Any
    """The fill that it is about, beside its order as it is now."""
    each: DecidedBust
    symbol: str
    webhook_sequence: int | None = None

    @property
    def payload(self) -> dict[str, Any]:
        """What its owner is told."""
        return bust_payload(_Row(self))


class _Row:
    """The same as its rows will say it once they are stored."""

    def __init__(self, event: OwnEvent) -> None:
        self.sequence, self.symbol, self.event_sequence = event.sequence, event.symbol, event.each.event_sequence
        self.bust_id, self.done_at = event.each.bust.id, event.each.at
        self._parts = (event.fill, event.each.bust)

    def __getattr__(self, name: str) -> Any:
        fill, bust = self._parts
        return getattr(fill, name) if name in FROM_FILL else getattr(bust, name)


FROM_FILL: Final = frozenset(
    {"order_id", "client_order_id", "side", "status", "filled_quantity", "remaining_quantity", "fee"}
)


def kind_of(bust: Any) -> str:
    """TRADE_BUSTED, or TRADE_ADJUSTED."""
    return TRADE_BUSTED if bust.new_price is None else TRADE_ADJUSTED


def own_events(run: BustRun, symbols: Mapping[int, str]) -> list[OwnEvent]:
    """Those of each done bust, buyer first, numbered on from the parties' counters, which are raised."""
    events = []
    for each in run.done:
        bust = each.bust
        for broker_id, order_id in ((bust.buyer_id, bust.buy_order_id), (bust.seller_id, bust.sell_order_id)):
            counter = run.parties.counters[broker_id]
            counter[0] += 1
            fill = run.parties.fills[bust.trade_id, order_id]
            events.append(OwnEvent(counter[0], kind_of(bust), broker_id, fill, each, symbols[bust.stock_id]))
    return events


def tape_event(each: DecidedBust, symbol: str) -> dict[str, Any]:
    """The row of `events` for a done bust, which the room `stock:` hears."""
    bust, sequence = each.bust, each.event_sequence
    adjusted = bust.new_price is not None
    prices = {"old_price": bust.price, "price": bust.new_price} if adjusted else {"price": bust.price}
    payload = {
        "symbol": symbol,
        "sequence": sequence,
        "trade_id": bust.trade_id,
        **prices,
        "quantity": bust.quantity,
        "aggressor_side": bust.aggressor_side,
        "executed_at": timestamp(bust.executed_at),
        "adjusted_at" if adjusted else "busted_at": timestamp(each.at),
    }
    return {"stock_id": bust.stock_id, "sequence": sequence, "kind": kind_of(bust), "payload": payload}
