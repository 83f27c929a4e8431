"""Market makers: bids and asks around what they think a stock is worth, for whoever wants to trade now."""

from __future__ import annotations

from random import Random
from typing import Final

from .fair_value import FairValue
from .traders import MAKERS
from .view import Action, Cancel, OwnOrder, Place, Side, View

LEVELS: Final = 3
SHARES: Final = (100, 100, 100, 200)
"""At a level, by chance."""


class Maker:
    """Quotes `width` basis points on either side, more when it is lively, and leans against what it has too much of."""

    def __init__(self, name: str, width: float, random: Random) -> None:
        self.name = name
        self._width = width
        self._random = random

    def act(self, view: View, value: FairValue) -> list[Action]:
        """Cancel what is quoted at wrong prices, and quote what is missing."""
        step = max(value.price * self._width / 10_000 * value.liveliness**0.5, view.tick)
        centre = value.price - view.lean.get(MAKERS, 0.0) * step * 2
        actions: list[Action] = []
        own = view.of(self.name)
        for side in ("bid", "ask"):
            actions += self._quote(view, side, centre, step, [order for order in own if order.side == side])
        return actions

    def _quote(self, view: View, side: Side, centre: float, step: float, own: list[OwnOrder]) -> list[Action]:
        direction = -1 if side == "bid" else 1
        wanted = [view.price(centre + direction * step * (1 + level * 1.5), side) for level in range(LEVELS)]
        near_enough = max(step / 3, view.tick / 2)
        cancels: list[Action] = []
        for order in own:
            nearest = min(wanted, key=lambda price: abs(price - order.price), default=None)
            if nearest is None or abs(nearest - order.price) > near_enough:
                cancels.append(Cancel(order))
            else:
                wanted.remove(nearest)
        missing = [price for price in dict.fromkeys(wanted) if self._is_there_reason(price, view, side)]
        return cancels + [self._place(view, side, price) for price in missing]

    def _place(self, view: View, side: Side, price: int) -> Place:
        return Place(self.name, side, view.quantity(self._random.choice(SHARES)), price)

    @staticmethod
    def _is_there_reason(price: int, view: View, side: Side) -> bool:
        """Not in an auction at a price that would be met at once: nobody knows yet what the others want."""
        opposite = view.best_ask if side == "bid" else view.best_bid
        meets = opposite is not None and (price >= opposite if side == "bid" else price <= opposite)
        return not (view.auction and meets)
