"""What state a stock is in next by its schedule, and when; and who gave it the present one."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from engine.terms.codes import VOLATILITY
from engine.terms.states import DELISTED, HALTED, OPEN
from services.stocks.schedule import ROLL, STATES, Beginning, next_after, phase_at
from settings.sections import TradingSchedule

BY_SCHEDULE: Final = "schedule"
BY_OPERATOR: Final = "operator"
BY_PRICE: Final = "volatility"
SETTERS: Final = (BY_SCHEDULE, BY_OPERATOR, BY_PRICE)
"""Who can have given a stock its state: its market's schedule, somebody, or a trade too far from the last."""


class Next(NamedTuple):
    """The state that follows, and when it does at the earliest; both None where nobody knows."""

    until: datetime | None
    state: str | None


NOBODY_KNOWS: Final = Next(None, None)


def next_state(schedule: TradingSchedule, state: str, reason: str | None, since: datetime) -> Next:
    """What follows `state`, in which the stock is `since` for that `reason`.

    A scheduled auction ends at random a little later than it is told here; a halt ends when somebody says so.
    """
    if state in (HALTED, DELISTED):
        return NOBODY_KNOWS
    if reason == VOLATILITY:
        return Next(since + timedelta(seconds=schedule.volatility_auction_seconds), OPEN)
    begun = Beginning(reason, since) if reason in STATES else phase_at(schedule, since)
    following = next_after(schedule, begun)
    following_state = STATES[following.phase]
    if following.phase == ROLL or following_state == state:  # the roll of a market that is always open changes none
        return NOBODY_KNOWS
    return Next(following.at, following_state)
