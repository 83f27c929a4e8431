"""Register a broker: its key, its accounts, what it brings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models import CASH, Broker, Stock
from models.accounts.asset import LARGEST_SUPPLY
from services.accounts.deposits import deposit, open_account, raise_supply
from services.accounts.worth import value_of
from services.errors import SupplyTooLarge
from services.identity.own_keys import first_key
from services.stocks.listing import refuse_delisted, unknown_stock
from services.webhooks.subscriptions import set_webhook

ALL_SHORT_LIMITS = text("SELECT sum(short_limit) FROM brokers")
"""Each may go short in every stock; the new broker is among them. Who registers at the same moment waits for cash."""


@dataclass(frozen=True)
class Registered:
    """The answer to a registration; the key and the secret are shown this once."""

    broker_id: int
    api_key: str
    webhook_secret: str | None
    """None where it has no hook."""


def register_broker(session: Session, *, webhook_url: str | None = None, **wanted: Any) -> Registered:
    """A new active broker as by `open_broker`, with a key that may do everything.

    At `webhook_url` it is told of its trades.
    """
    broker = open_broker(session, **wanted)
    secret = None if webhook_url is None else set_webhook(session, broker.id, webhook_url)
    return Registered(broker.id, first_key(session, broker.id)["api_key"], secret)


def open_broker(
    session: Session,
    *,
    name: str,
    cash: int = 0,
    positions: Mapping[str, int] | None = None,
    credit_limit: int = 0,
    short_limit: int = 0,
) -> Broker:
    """A new active broker with `cash` (cents) and `positions` (shares by symbol), and without a key.

    `credit_limit` (cents) is how far its cash may go below zero, `short_limit` (shares) how far each stock may.
    Shares come in at what they are worth (`value_of`). Raises UnknownStock for a symbol that is not listed,
    SupplyTooLarge and PositionTooValuable for what could not be counted; each names the field that is at fault.
    """
    broker = Broker(name=name, short_limit=short_limit)
    session.add(broker)
    session.flush()
    open_account(session, broker.id, CASH, credit_limit)
    with _blamed_on("credit_limit"):
        raise_supply(session, CASH, credit_limit)
    if cash:
        with _blamed_on("cash"):
            deposit(session, broker.id, CASH, cash)
    if short_limit and session.scalar(ALL_SHORT_LIMITS) > LARGEST_SUPPLY:
        raise SupplyTooLarge("No more may be sold short in all.", field="short_limit", largest_supply=LARGEST_SUPPLY)
    for stock, shares in _listed(session, positions or {}):
        cost = value_of(stock, shares)
        with _blamed_on("positions"):
            deposit(session, broker.id, stock.id, shares, cost=cost, credit_limit=short_limit)
    return broker


@contextmanager
def _blamed_on(field: str) -> Iterator[None]:
    """Names the field of the request with which too much would exist."""
    try:
        yield
    except SupplyTooLarge as refusal:
        raise SupplyTooLarge(refusal.detail, field=field, **refusal.facts) from refusal


def _listed(session: Session, positions: Mapping[str, int]) -> list[tuple[Stock, int]]:
    stocks = {stock.symbol: stock for stock in session.scalars(select(Stock).where(Stock.symbol.in_(positions)))}
    for symbol in positions:
        if symbol not in stocks:
            raise unknown_stock(symbol, "positions")
    refuse_delisted(stocks.values())
    return [(stocks[symbol], shares) for symbol, shares in positions.items() if shares]
