"""Trade on a Minex exchange: every call, streams without gaps, mirrors of books and of one's account.

Prices and money are integer cents, quantities whole shares, times RFC 3339 texts in UTC.
"""

from .account import AccountMirror
from .book import BookMirror, OutOfStep
from .errors import ExchangeError, OutcomeUnknown, Refused, Unreachable
from .exchange import Exchange
from .follower import Follower, Mirror
from .stream import EventStream, StreamEvent

__all__ = [
    "AccountMirror",
    "BookMirror",
    "EventStream",
    "Exchange",
    "ExchangeError",
    "Follower",
    "Mirror",
    "OutOfStep",
    "OutcomeUnknown",
    "Refused",
    "StreamEvent",
    "Unreachable",
]
