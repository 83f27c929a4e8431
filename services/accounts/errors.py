"""What is refused about accounts. As in `services.errors`, the class is the code, its docstring the message."""

from services.errors import Forbidden, Invalid, Unavailable, Unknown


class ReferenceReused(Invalid):
    """This reference was already used for another deposit or withdrawal."""


class UnknownTrade(Unknown):
    """There is no such trade."""


class NotYourTrade(Forbidden):
    """Neither side of this trade is this broker's."""


class ExplanationsBusy(Unavailable):
    """More fills wait to be explained than can be in a few seconds; try again."""
