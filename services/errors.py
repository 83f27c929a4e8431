"""What the market refuses. The class is the code, its docstring the message, its parent what kind of refusal it is."""

import re
from dataclasses import dataclass
from typing import Any, TypeVar

Error = TypeVar("Error", bound=BaseException)


def kept(error: Error) -> Error:
    """The error, to be kept or answered: it forgets where it was raised, and so do those that it came from.

    A traceback holds frames, which hold what they worked on, often the error itself. That is left to the garbage
    collector, and while it clears away the refusals of some hundred orders everybody waits.
    """
    one: BaseException | None = error
    while one is not None and one.__traceback__ is not None:
        one.__traceback__ = None
        one = one.__cause__ or one.__context__
    return error


@dataclass(frozen=True, slots=True)
class Failed:
    """Stands for the answer to one of several requests when it is an error."""

    error: Exception

    def __post_init__(self) -> None:
        kept(self.error)


class MarketError(Exception):
    """The exchange refused."""

    def __init__(self, detail: str | None = None, *, field: str | None = None, **facts: Any) -> None:
        super().__init__(detail or self.message())
        self.detail = str(self)
        self.field = field
        """The field of the request that is at fault, where one is."""
        self.facts = facts
        """Figures that explain the refusal (cents, shares), told to the client as they are."""

    @classmethod
    def code(cls) -> str:
        """The stable snake_case code that clients see."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def message(cls) -> str:
        """The docstring as one line."""
        return " ".join((cls.__doc__ or "").split())


class Invalid(MarketError):
    """The request is no valid order."""


class Forbidden(MarketError):
    """This broker may not do that."""


class Unknown(MarketError):
    """There is no such thing."""


class Conflict(MarketError):
    """The present state does not allow it."""


class Gone(MarketError):
    """What was asked for is no longer there."""


class StartAnew(Gone):
    """Nobody can go on from this number: it is of another epoch, not given yet, or no longer kept. Begin anew."""


class Unavailable(MarketError):
    """The exchange cannot do it just now; try again later."""


class NotAuthenticated(MarketError):
    """It is not known who is calling."""


class NoLongerValid(NotAuthenticated):
    """What says who is calling was good once."""


class InsufficientFunds(Invalid):
    """Not enough available cash for this order."""


class InsufficientShares(Invalid):
    """Not enough available shares for this order."""


class TooManyOpenOrders(Invalid):
    """The broker has as many open orders as it may have, in all or in this stock; one that ends makes room."""


class NoReferencePrice(Invalid):
    """A market order may pay so much above the best offer, or up to the price band, and this stock has neither."""


class OffTick(Invalid):
    """The price is not a multiple of the stock's tick size."""


class OffLot(Invalid):
    """The quantity is not a multiple of the stock's lot size."""


class PriceOutsideBand(Invalid):
    """The price is outside the stock's price band."""


class PriceTooLarge(Invalid):
    """The price is beyond the largest allowed."""


class QuantityTooLarge(Invalid):
    """The quantity is beyond the largest allowed."""


class NotionalTooLarge(Invalid):
    """Price times quantity is beyond the largest allowed."""


class SupplyTooLarge(Invalid):
    """More of this than the exchange can count would exist."""


class PositionTooValuable(Invalid):
    """The position would be worth more than the exchange can count."""


class DisplayQuantityTooSmall(Invalid):
    """An iceberg must show more of its quantity."""


class ValidUntilInThePast(Invalid):
    """The order would expire before it arrives."""


class ClientOrderIdReused(Invalid):
    """This client_order_id was already used for another order."""


class UnknownOrder(Unknown):
    """There is no such order."""


class UnknownBroker(Unknown):
    """There is no such broker."""


class UnknownStock(Unknown):
    """There is no such stock."""


class NotYourOrder(Forbidden):
    """This order belongs to another broker."""


class BrokerSuspended(Forbidden):
    """This broker is suspended."""


class BrokerCloseOnly(Forbidden):
    """This broker owes to the guarantee account: it may cancel, sell what it has, and buy back what it is short of."""


class StockHalted(Conflict):
    """Trading in this stock is halted."""


class StockClosed(Conflict):
    """This stock is not open for trading."""


class StockDelisted(Conflict):
    """This stock is listed no more."""


class NotInAuction(Conflict):
    """Orders gather for an auction: what has to trade at once, or must not take, cannot wait for it."""


class StockExists(Conflict):
    """A stock with this symbol is already listed."""


class OrderClosed(Conflict):
    """The order is already filled, cancelled or expired."""


class MatchQueueTooDeep(Unavailable):
    """More commands wait than can be matched in a few seconds; nothing was stored, try again in a second."""
