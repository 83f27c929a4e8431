"""What is refused about orders. As in `services.errors`, the class is the code, its docstring the message."""

from services.errors import Conflict, Unknown


class PostOnlyWouldTake(Conflict):
    """The order is post-only, and its price meets an order of the other side."""


class NoPosition(Unknown):
    """There is no position to close."""


class StopPriceNotAmendable(Conflict):
    """Only a stop that waits has a stop price to amend."""


class MarketOrderNotAmendable(Conflict):
    """A market order never rests, so it cannot be amended."""


class ValidUntilNotAmendable(Conflict):
    """Only an order that is good until it is cancelled, or till a date, can be given another end."""


class StopNotAmendable(Conflict):
    """A stop order has no limit price to amend."""


class AmendmentWaiting(Conflict):
    """An earlier amendment of this order is not applied yet."""


class WouldBeRejected(Conflict):
    """The book would reject it; `reason` is its code."""
