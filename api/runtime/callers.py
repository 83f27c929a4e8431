"""Who calls: a broker or the administrator with a key, or a person with a session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from services.identity.api_keys import KeyHolder
from services.identity.people.roles import TRADER
from services.identity.people.session_holders import SessionHolder
from services.identity.scopes import ALL
from services.settlement.fees import NO_FEES, FeeRates
from settings.sections import Fees

NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever has no `broker_id` acts for none: the administrator, and people who are no traders."""

    broker_id: int | None
    name: str
    status: str
    scopes: frozenset[str] = ALL
    key: KeyHolder | None = None
    """The broker's key, which may have ended, or not be good from where it is used."""
    session: SessionHolder | None = None
    """The person's, which may have ended."""
    is_guest: bool = False
    """Whether the broker has signed up."""
    rates: FeeRates = NO_FEES
    """What the broker's orders pay that come now."""

    @classmethod
    def of_key(cls, holder: KeyHolder, fees: Fees) -> Caller:
        """Whoever holds this key; `fees` are those of the settings."""
        return cls(
            holder.broker_id,
            holder.name,
            holder.status,
            holder.reach.scopes,
            holder,
            is_guest=holder.is_guest,
            rates=holder.terms.rates(fees),
        )

    @classmethod
    def of_session(cls, holder: SessionHolder, fees: Fees) -> Caller:
        """Whoever is logged in there; `fees` are those of the settings."""
        if holder.role == TRADER:
            return cls(
                holder.broker_id,
                holder.username,
                holder.status,
                ALL,
                session=holder,
                is_guest=holder.is_guest,
                rates=holder.terms.rates(fees),
            )
        return cls(None, holder.username, "active", NONE, session=holder)


def goes_on(caller: Caller) -> bool:
    """True if the key or session that says who it is is still good."""
    holder = caller.key or caller.session
    return holder is None or not holder.has_ended(datetime.now(UTC))


ANONYMOUS = Caller(None, "anonymous", "active", NONE)
"""Whoever looks at the market without a key."""

ADMINISTRATOR = Caller(None, "administrator", "active", NONE)
