"""What a replay needs before its first order: a stock that takes its orders, and brokers who can pay for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from cli.exits import REFUSED, USAGE
from cli.order_flow.lobster import MAKER, TAKER, Step
from cli.terminal import CommandError
from client import Exchange, Refused
from engine import New
from engine.terms.orders import BID
from engine.terms.states import OPEN
from services.stocks.symbols import SYMBOL_RULE, symbol_in

RULES: Final = {"tick_size": 1, "lot_size": 1, "band": 0, "dynamic_band": 0}
"""Of a stock that is listed for a replay: whatever the real market took is taken."""

LIMITS: Final = {"credit_limit": 10**15, "short_limit": 10**12}
"""Cents and shares that a broker registered for a replay may owe: the most that the exchange allows."""

WITH_ADMIN_KEY: Final = "MINEX_ADMIN_KEY=… minex replay FILE"
OTHER_STOCK: Final = "minex replay FILE --symbol NAME"


class Needs(NamedTuple):
    """What a broker pays and delivers in a replay at most: cents and shares."""

    cash: int
    shares: int


def needs_of(steps: Iterable[Step]) -> dict[str, Needs]:
    """The cash and shares that the two brokers need if no trade gave them anything back, by account."""
    cash, shares = {MAKER: 0, TAKER: 0}, {MAKER: 0, TAKER: 0}
    for step in steps:
        if isinstance(step.command, New):
            order = step.command.order
            if order.side == BID:
                cash[str(order.account)] += order.quantity * (order.price or 0)
            else:
                shares[str(order.account)] += order.quantity
    return {account: Needs(cash[account], shares[account]) for account in (MAKER, TAKER)}


def symbol_of(given: str | None, file: Path) -> str:
    """The stock's symbol in capitals: the one that was given, else what the file's name begins with.

    Raises CommandError where that is no symbol.
    """
    written = given or file.name.replace("_", "-").split("-")[0].split(".")[0]
    symbol = symbol_in(written)
    if symbol is None:
        raise CommandError(f'"{written}" is no symbol. {SYMBOL_RULE}', OTHER_STOCK, exit_code=USAGE)
    return symbol


def is_listed(exchange: Exchange, symbol: str) -> bool:
    """True if there is such a stock. Raises what the client raises."""
    try:
        exchange.stock(symbol)
    except Refused as refused:
        if refused.code != "unknown_stock":
            raise
        return False
    return True


def not_listed(symbol: str) -> CommandError:
    """The error where a stock is missing and nothing here may list it."""
    return CommandError(
        f"There is no stock {symbol}; with the administrator's key it is listed.", WITH_ADMIN_KEY, exit_code=REFUSED
    )


def list_by_admin(admin: Exchange, symbol: str) -> None:
    """List a stock for a replay. Raises what the client raises."""
    admin.list_stock(symbol, **RULES)


def register_by_admin(admin: Exchange, name: str) -> str:
    """The API key of a new broker that trades without money or shares of its own. Raises what the client raises."""
    return str(admin.register(name, **LIMITS)["api_key"])


def check_stock(stock: Mapping[str, Any], steps: Iterable[Step]) -> None:
    """Raises CommandError unless a stock, as REST shows it, is open and takes every order of the replay."""
    symbol = stock["symbol"]
    if stock["state"] != OPEN:
        raise CommandError(f"{symbol} is not open: its state is {stock['state']}.", OTHER_STOCK, exit_code=REFUSED)
    orders = [step.command.order for step in steps if isinstance(step.command, New)]
    rules = (
        (f"the tick of {stock['tick_size']}", lambda order: not order.price % stock["tick_size"]),
        (f"the lot of {stock['lot_size']}", lambda order: not order.quantity % stock["lot_size"]),
        (
            f"the prices from {stock['lowest_price']} to {stock['highest_price']}",
            lambda order: stock["lowest_price"] <= order.price <= stock["highest_price"],
        ),
    )
    for rule, fits in rules:
        misfits = sum(not fits(order) for order in orders)
        if misfits:
            raise CommandError(
                f"{misfits} of {len(orders)} orders do not fit {rule} that {symbol} has; "
                "a symbol that is not listed yet is listed to fit.",
                OTHER_STOCK,
                exit_code=REFUSED,
            )


def explained(refused: Refused) -> Exception:
    """The refusal of an order, with what helps where a broker has too little."""
    if refused.code not in {"insufficient_funds", "insufficient_shares"}:
        return refused
    return CommandError(
        f"A broker has too little for this file: {refused} "
        "With the administrator's key, and no keys of brokers, two that may owe it are registered.",
        WITH_ADMIN_KEY,
        exit_code=REFUSED,
    )
