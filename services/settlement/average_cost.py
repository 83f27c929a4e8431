"""What a position cost, by average cost; the profit or loss of closing it follows from that."""

from collections.abc import Iterable
from dataclasses import dataclass


def average_cost(held: int, cost: int, realised: int, trades: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """(cost, realised profit) in cents after `trades` of (signed shares, cents each) on a position of `held` shares.

    Shares that join a position add what they cost; shares that leave it take their part of the cost with them, a
    fraction of a cent staying with what remains. `cost` and `held` are negative for a short position. A trade through
    zero closes the one position and opens the other.
    """
    for shares, price in trades:
        joining = shares
        if held and (held > 0) != (shares > 0):
            leaving = min(abs(shares), abs(held))
            part = cost * leaving // abs(held)
            sign = 1 if held > 0 else -1
            realised += sign * leaving * price - part
            cost -= part
            held -= sign * leaving
            joining = shares + sign * leaving
        cost += joining * price
        held += joining
    return cost, realised


@dataclass(slots=True)
class Position:
    """A position that is worked out step by step: shares, what they cost, and what closing brought, in cents."""

    held: int = 0
    cost: int = 0
    realised: int = 0

    def trade(self, shares: int, price: int) -> None:
        """Buy, or with negative `shares` sell, at `price` cents each."""
        self.cost, self.realised = average_cost(self.held, self.cost, self.realised, [(shares, price)])
        self.held += shares

    def deposit(self, shares: int, cost: int) -> None:
        """Shares come in from outside that cost so many cents in all."""
        self.held += shares
        self.cost += cost

    def withdraw(self, shares: int) -> int:
        """Shares leave, and take their part of the cost along, which is given; without profit or loss."""
        part = self.cost * shares // self.held if self.held > 0 else 0
        self.held -= shares
        self.cost -= part
        return part
