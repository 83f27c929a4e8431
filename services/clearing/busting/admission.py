"""Whether a bust may be done, looked at where it is done: its stock, its parties and whoever asked are locked.

The window counts from the request, and a confirmation has as long again. Above the threshold two people decide. What
one person has asked for within a window counts together, with the ranges and the adjustments; so a large bust cannot
be asked for in small ones. The administrator's key is no person: it busts below the threshold and confirms nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from models.clearing.bust import DONE, EXPIRED, NEEDS_CONFIRMATION, REJECTED, REQUESTED, WAITING_FOR_GUARANTEE
from services.identity.people.roles import ADMIN, CLEARING
from settings.clearing import Clearing

ALREADY_BUSTED: Final = "already_busted"
BUST_WINDOW_PASSED: Final = "bust_window_passed"
BUST_DECIDED: Final = "bust_decided"
SECOND_PERSON_NEEDED: Final = "second_person_needed"

GOES_ON: Final = (NEEDS_CONFIRMATION, WAITING_FOR_GUARANTEE)
"""Refusals after which the bust waits for somebody, or something."""

CONFIRMING: Final = (CLEARING, ADMIN)
"""The roles of people who may confirm what another has asked for."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A person who has confirmed a bust, and when."""

    person: int
    name: str
    at: datetime


def refusal_of(
    bust: Any, confirmation: Confirmation | None, may_confirm: bool, asked_together: int, terms: Clearing
) -> str | None:
    """The code with which the turn of this bust refuses it; None if it may be done, as far as money allows.

    `bust` is its row beside its trade's (`executed_at`, `busted_at`, `adjusted_price`). `may_confirm`: whether whoever
    has confirmed it is somebody who may, at this moment. `asked_together`: cents of notional that whoever asked for it
    has asked for within the window, itself included.
    """
    window = timedelta(seconds=terms.window_seconds)
    if refused := _is_over(bust, window):
        return refused
    if bust.status == WAITING_FOR_GUARANTEE:
        return None
    if bust.status == NEEDS_CONFIRMATION or confirmation is not None:
        return _refusal_of_confirmation(bust, confirmation, may_confirm, window)
    if bust.rule is not None or asked_together <= terms.second_person_above:
        return None
    return SECOND_PERSON_NEEDED if bust.asked_by is None else NEEDS_CONFIRMATION


def _is_over(bust: Any, window: timedelta) -> str | None:
    if bust.status in (REJECTED, EXPIRED):
        return BUST_DECIDED
    if bust.status == DONE or bust.busted_at is not None or bust.adjusted_price is not None:
        return ALREADY_BUSTED
    return BUST_WINDOW_PASSED if bust.asked_at > bust.executed_at + window else None


def _refusal_of_confirmation(
    bust: Any, confirmation: Confirmation | None, may_confirm: bool, window: timedelta
) -> str | None:
    if confirmation is None:
        return NEEDS_CONFIRMATION
    if not may_confirm or confirmation.person == bust.asked_by:
        return SECOND_PERSON_NEEDED
    if confirmation.at > bust.asked_at + window:
        return BUST_WINDOW_PASSED
    return None


def status_after(bust: Any, refused: str | None) -> str:
    """The status of a bust behind its turn."""
    before: str = bust.status
    if refused is None:
        return DONE
    if refused in (NEEDS_CONFIRMATION, WAITING_FOR_GUARANTEE):
        return refused
    if before == NEEDS_CONFIRMATION:
        return EXPIRED if refused == BUST_WINDOW_PASSED else before
    return REJECTED if before == REQUESTED else before
