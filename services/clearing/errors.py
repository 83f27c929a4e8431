"""What is refused of those who decide about trades."""

from services.errors import Conflict, Forbidden, Invalid, Unknown


class UnknownBust(Unknown):
    """There is no such bust."""


class AlreadyBusted(Conflict):
    """This trade was busted or adjusted before, or somebody has asked for that."""


class BustDecided(Conflict):
    """This bust was decided before: it waits for nobody."""


class BustWindowPassed(Conflict):
    """The time is over within which this can be decided."""


class SecondPersonNeeded(Forbidden):
    """Above the threshold two people decide: who asked cannot confirm, and the administrator's key is no person."""


class UnchangedPrice(Invalid):
    """The trade was executed at this price."""


class NotFlagged(Conflict):
    """This trade breaks no rule, or somebody has let it stand."""


class BustRefused(Conflict):
    """The bust could not be carried out, and nothing has changed."""


class TooManyTrades(Invalid):
    """These are more trades than can be busted together."""
