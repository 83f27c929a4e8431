"""The matching core: commands in, events out. Standard library only, integers only, no clock, nothing opened.

>>> from engine import BID, ASK, Book, New, Order, Rules
>>> book = Book(Rules())
>>> book.apply(New(Order(1, None, ASK, "limit", 1000, 5)), now=1)
[Accepted(order=<Order 1 ask 5 of 5 at 1000>)]
>>> [type(event).__name__ for event in book.apply(New(Order(2, None, BID, "limit", 1010, 3)), now=2)]
['Accepted', 'Trade']
>>> book.depth(ASK, 5)
[(1000, 2, 1)]
"""

from engine.book import Book
from engine.resting.audit import BrokenBook
from engine.terms.commands import UNCHANGED, Amend, Cancel, Clock, Close, Command, Correct, New, Roll, State, Uncross
from engine.terms.events import (
    Accepted,
    Amended,
    Cancelled,
    Corrected,
    Event,
    Expired,
    Indicative,
    Rejected,
    StateChanged,
    Trade,
    Triggered,
)
from engine.terms.orders import ASK, BID, Order
from engine.terms.rules import Rules, band_limits, check_price, check_quantity

__all__ = [
    "ASK",
    "BID",
    "UNCHANGED",
    "Accepted",
    "Amend",
    "Amended",
    "Book",
    "BrokenBook",
    "Cancel",
    "Cancelled",
    "Clock",
    "Close",
    "Command",
    "Correct",
    "Corrected",
    "Event",
    "Expired",
    "Indicative",
    "New",
    "Order",
    "Rejected",
    "Roll",
    "Rules",
    "State",
    "StateChanged",
    "Trade",
    "Triggered",
    "Uncross",
    "band_limits",
    "check_price",
    "check_quantity",
]
