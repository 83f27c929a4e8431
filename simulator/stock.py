"""One stock of the simulated market: when something happens in it, and what."""

from __future__ import annotations

from random import Random
from typing import Final

from .arrivals import Arrivals
from .fair_value import FairValue
from .makers import Maker
from .people import Crowd, TrendFollower
from .plan import Plan
from .traders import MAKERS
from .view import Action, View

WIDTHS: Final = (("maker-1", 4.0), ("maker-2", 5.6))
"""The makers, each with its width, in basis points on either side."""

MAKER_PART: Final = 0.12
HASTY_PART: Final = 0.13
TREND_PART: Final = 0.04
"""Of all arrivals; the others are of the patient."""

NEWS_STIR: Final = 0.6
"""How many arrivals each basis point of news counts for."""


class SimulatedStock:
    """Decides; it reads no clock and sends nothing. The same plan and the same views give the same actions."""

    def __init__(self, symbol: str, price: float, plan: Plan) -> None:
        """`price`: what it is worth at the beginning, in cents."""
        self.symbol = symbol
        base = plan.rate_of_stock * (1 - plan.clustering)
        self._arrivals = Arrivals(base, plan.clustering, self._random(plan, "arrivals"), plan.most_per_second)
        self._random_choice = self._random(plan, "choice")
        self.value = FairValue(price, self._random(plan, "value"), plan.temper)
        self._makers = [Maker(name, width, self._random(plan, name)) for name, width in WIDTHS]
        self._crowd = Crowd(self._random(plan, "crowd"))
        self._trend = TrendFollower(self._random(plan, "trend"))
        self._debt = 0
        """Actions beyond one an arrival, for which later arrivals are given."""
        self._seen_at = 0.0
        self.news = 0.0
        """Basis points by which news have moved it with the last arrival."""
        self.next_at = self._arrivals.next()
        """When something happens next: seconds since the beginning."""

    def pass_by(self) -> None:
        """Let the arrival at `next_at` go: nobody can trade now."""
        self._seen_at = self.next_at
        self.next_at = self._arrivals.next()

    def act(self, view: View) -> list[Action]:
        """What happens at `next_at`, of which `view` is the view; what happens next is drawn."""
        self._see(view)
        self.next_at = self._arrivals.next()
        if self._debt:
            self._debt -= 1
            return []
        actions = self._choose(view)
        self._debt += max(len(actions) - 1, 0)
        return actions

    def open(self, view: View) -> list[Action]:
        """The makers' first quotes, so that there is somebody to trade with from the beginning."""
        return [action for maker in self._makers for action in maker.act(view, self.value)]

    def _see(self, view: View) -> None:
        middle = view.middle
        room = min((view.highest - view.lowest) / 8, self.value.price / 50)  # to the band, where there is one
        self.news = self.value.advance(view.now, view.lowest + room, view.highest - room)
        if self.news:
            self._arrivals.excite(abs(self.news) * NEWS_STIR)
        if middle is not None and not view.auction:
            self.value.follow(middle, view.now - self._seen_at)
        self._trend.watch(view.now, middle)
        self._seen_at = view.now

    def _choose(self, view: View) -> list[Action]:
        chance = self._random_choice.random()
        actions: list[Action] = []
        if chance < MAKER_PART and MAKERS not in view.busy:
            actions = self._random_choice.choice(self._makers).act(view, self.value)
        elif MAKER_PART <= chance < MAKER_PART + HASTY_PART:
            actions = self._crowd.take(view, self.value)
        elif MAKER_PART <= chance < MAKER_PART + HASTY_PART + TREND_PART:
            actions = self._trend.act(view, self.value)
        return actions or self._crowd.wait(view, self.value)

    def _random(self, plan: Plan, of: str) -> Random:
        return Random(f"{plan.seed}/{self.symbol}/{of}")  # noqa: S311 - no secret
