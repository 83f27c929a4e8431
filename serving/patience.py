"""How long clients are waited for, and what they are told who never get to the application."""

from typing import NamedTuple, Protocol

CRUMB_BYTES = 1_024
CRUMB_SECONDS, LONGEST_CRUMB_SECONDS = 0.001, 0.05
"""A client who sends crumbs is listened to more seldom the more of them come: each costs as much as a large piece."""


class Patience(NamedTuple):
    """Seconds."""

    arrival: float
    """In which a request that has begun must be here."""
    keep_alive: float
    """In which the next one must begin."""


class ReadRefusals(Protocol):
    """What is answered to what never becomes a request: whole answers, as bytes."""

    def too_slow(self) -> bytes:
        """To a request that did not arrive in time."""
        ...

    def head_too_large(self) -> bytes:
        """To a head of more than HEAD_BYTES."""
        ...
