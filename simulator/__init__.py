"""A market that lives: makers, people who come and go, those who follow trends, and news; through `client` only.

`SimulatedStock` decides what happens in one stock and when, and knows no exchange; `Simulation` shows it the market as
the streams tell it, and has what it decides sent.
"""

from .live import Simulation
from .market import NothingToTrade
from .plan import Plan
from .stock import SimulatedStock
from .view import Cancel, OwnOrder, Place, View

__all__ = ["Cancel", "NothingToTrade", "OwnOrder", "Place", "Plan", "SimulatedStock", "Simulation", "View"]
