"""What the exchange answers with: prices and money in cents, quantities in shares, times as RFC 3339 texts in UTC."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Side = Literal["bid", "ask", "buy", "sell"]


class OrderTrade(TypedDict):
    """A fill, as an order lists it."""

    trade_id: int
    price: int
    quantity: int
    side: str
    executed_at: str
    busted: bool
    adjusted_from: int | None


class Order(TypedDict):
    """An order as it stands."""

    order_id: int
    client_order_id: str | None
    symbol: str
    side: str
    order_type: str
    time_in_force: str
    status: str
    price: int | None
    stop_price: int | None
    quantity: int
    filled_quantity: int
    remaining_quantity: int
    cancelled_quantity: int
    average_price: float | None
    valid_until: str | None
    created_at: str
    fee: int
    reason: str | None
    trades: list[OrderTrade]


class Fill(TypedDict):
    """One of one's own fills."""

    account_sequence: int
    trade_id: int
    symbol: str
    side: str
    order_id: int
    client_order_id: str | None
    price: int
    quantity: int
    liquidity: str
    fee: int
    executed_at: str
    busted: bool
    adjusted_from: int | None


class Level(TypedDict):
    """All that shows at one price; in an auction the price of market orders is null."""

    price: int | None
    total_quantity: int
    order_count: int


class Book(TypedDict):
    """The best levels of a book, the best of each side first."""

    symbol: str
    epoch: str
    book_sequence: int
    sequence: int
    depth: int
    bids: list[Level]
    asks: list[Level]


class Stock(TypedDict):
    """A listed stock: its rules, its state and its prices."""

    symbol: str
    name: str
    state: str
    tick_size: int
    lot_size: int
    reference_price: int | None
    last_price: int | None
    best_bid: int | None
    best_ask: int | None


class Figures(TypedDict):
    """What was traded within a time; `turnover` in cents, sums beyond 2^53 as texts."""

    open: int | None
    high: int | None
    low: int | None
    close: int | None
    volume: int | str
    turnover: int | str
    vwap: float | None
    trade_count: int
    change: int | None
    change_bps: int | None


class Ticker(TypedDict):
    """The latest of a stock, of the last 24 hours, and of its session."""

    symbol: str
    state: str
    last_price: int | None
    bid: int | None
    bid_quantity: int | None
    ask: int | None
    ask_quantity: int | None
    day: Figures
    session: Figures
    sequence: int
    updated_at: str | None


class Candle(TypedDict):
    """What was traded between `start` and the next candle's start."""

    start: str
    open: int
    high: int
    low: int
    close: int
    volume: int
    vwap: float | None
    trade_count: int
    closed: bool


class Balance(TypedDict):
    """One's cash."""

    broker_id: int
    broker_name: str
    balance: int
    available: int
    reserved: int
    equity: int | str


class Position(TypedDict):
    """What one holds of a stock; `available` is below zero for one that was sold short."""

    symbol: str
    available: int
    reserved: int
    average_cost: float | None
    market_value: int | None
    realised_pnl: int
    unrealised_pnl: int | None


class AccountEvent(TypedDict):
    """Something that happened to one of one's own orders."""

    account_sequence: int
    event: str
    at: str
    payload: dict[str, Any]


Document = dict[str, Any]
"""What is answered besides, as the exchange's OpenAPI description says."""
