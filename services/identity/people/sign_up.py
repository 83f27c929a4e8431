"""Strangers who let themselves in: a person, and a broker of one with what the exchange gives to begin with."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Stock
from services.identity.people.roles import TRADER
from services.identity.people.users import create_user
from services.identity.register import open_broker


def sign_up(
    session: Session, username: str, password_hash: str, *, cash: int, positions: Mapping[str, int]
) -> dict[str, Any]:
    """A new trader, with a broker of the same name that has `cash` (cents) and `positions` (shares by symbol).

    Of stocks that are not listed there are no shares. The broker has no key until its trader makes one. Raises
    UsernameTaken, and what `open_broker` raises.
    """
    listed = set(session.scalars(select(Stock.symbol).where(Stock.symbol.in_(positions))))
    given = {symbol: shares for symbol, shares in positions.items() if symbol in listed}
    broker = open_broker(session, name=username, cash=cash, positions=given)
    broker.is_guest = True
    return create_user(session, username, password_hash, TRADER, broker.id)
