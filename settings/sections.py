"""The sections of `exchange.toml` and their keys, with defaults and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from settings.clearing import Clearing
from settings.fields import choice, number, secret, time
from settings.processes import Clock, Live, Match, Reporter, Simulator, Web, Webhooks
from settings.servers import Database, Redis
from settings.values import WEEKDAYS

ALWAYS_OPEN = "always_open"
DAILY = "daily"
MAIN_MARKET = "main"
"""The market of stocks that name no other; it follows the schedule of `[session]` itself."""
PHASES_OF_DAY = ("pre_open", "opening_auction", "open", "closing_auction", "close")
"""The keys that say when each phase of a trading day begins, in their order."""


@dataclass(frozen=True)
class Exchange:
    """What concerns every process."""

    name: str = "Minex"
    currency: str = "BRL"
    debug: bool = False
    list_unknown_symbols: bool = False
    demo: bool = True
    admin_key: str = secret()
    data_folder: str = ""
    public: bool | None = None
    proxies: tuple[str, ...] = field(default=(), metadata={"kind": "network"})


@dataclass(frozen=True)
class Limits:
    """How much each broker may ask for in a second, and how many orders it may have open, in all and in one stock.

    Those of `signup_` are of brokers that have signed up, where they are lower. And how many wrong keys an address may
    try, and how much it may read without a key (0: as much as a broker); 0 is no limit.
    """

    orders_per_second: int = number(0, 0, 1_000_000)
    cancels_per_second: int = number(0, 0, 1_000_000)
    reads_per_second: int = number(0, 0, 1_000_000)
    failures_per_minute: int = number(0, 0, 1_000_000)
    open_orders: int = number(200_000, 0, 1_000_000_000)
    open_orders_per_stock: int = number(20_000, 0, 1_000_000_000)
    anonymous_reads_per_second: int = number(0, 0, 1_000_000)
    signup_orders_per_second: int = number(10, 0, 1_000_000)
    signup_cancels_per_second: int = number(20, 0, 1_000_000)
    signup_reads_per_second: int = number(50, 0, 1_000_000)
    signup_open_orders: int = number(200, 0, 1_000_000_000)


@dataclass(frozen=True)
class Identity:
    """People: how they come in, and for how long. `signup` is None where nothing is said of it."""

    signup: bool | None = None
    signup_cash: int = number(10_000_000, 0, 10**15)
    signup_positions: tuple[str, ...] = field(default=(), metadata={"kind": "position"})
    access_seconds: int = number(900, 5, 86_400)
    session_days: int = number(30, 1, 366)
    hashes_at_once: int = number(1, 1, 64)
    token_secret: str = secret()
    previous_token_secret: str = secret()


@dataclass(frozen=True)
class Fees:
    """What orders pay, in basis points; `tiers` say what who trades more does, the volume in cents of 30 days."""

    maker_bps: int = number(0, 0, 1_000)
    taker_bps: int = number(0, 0, 1_000)
    tiers: tuple[str, ...] = field(
        default=(), metadata={"kind": "tier", "keys": ("from_volume", "maker_bps", "taker_bps")}
    )


@dataclass(frozen=True)
class Market:
    """Rules of newly listed stocks and limits of every order."""

    tick_size: int = number(1, 1, 1_000_000)
    lot_size: int = number(1, 1, 1_000_000)
    band_bps: int = number(1_000, 0, 9_999)
    band_reference: str = choice("session", "session", "last")
    dynamic_band_bps: int = number(0, 0, 9_999)
    execution_price: str = choice("maker", "maker", "seller")
    self_trade_prevention: str = choice(
        "cancel_resting", "none", "cancel_resting", "cancel_incoming", "cancel_both", "decrement"
    )
    protection_bps: int = number(500, 0, 100_000)
    smallest_display_bps: int = number(100, 1, 10_000)
    max_price: int = number(1_000_000_000, 1, 10**12)
    max_quantity: int = number(1_000_000_000, 1, 10**12)
    max_notional: int = number(1_000_000_000_000_000, 1, 10**17)


@dataclass(frozen=True)
class TradingSchedule:
    """When the stocks of a market trade. Times are those of the market's own clocks."""

    schedule: str = choice(ALWAYS_OPEN, ALWAYS_OPEN, DAILY)
    timezone: str = field(default="America/Sao_Paulo", metadata={"kind": "zone"})
    roll_at: str = time("00:00")
    days: tuple[str, ...] = field(default=WEEKDAYS[:5], metadata={"kind": "day"})
    calendar: str = ""
    holidays: tuple[str, ...] = field(default=(), metadata={"kind": "date"})
    pre_open: str = time("09:30")
    opening_auction: str = time("09:45")
    open: str = time("10:00")
    closing_auction: str = time("16:55")
    close: str = time("17:00")
    random_end_seconds: int = number(30, 0, 3_600)
    volatility_auction_seconds: int = number(60, 1, 3_600)


@dataclass(frozen=True)
class Log:
    """What the processes write to stderr."""

    level: str = choice("info", "debug", "info", "warning", "error")
    format: str = choice("text", "text", "json")


@dataclass(frozen=True)
class Settings:
    """All sections; immutable, made once at a process's start and passed in."""

    exchange: Exchange = field(default_factory=Exchange)
    database: Database = field(default_factory=Database)
    redis: Redis = field(default_factory=Redis)
    web: Web = field(default_factory=Web)
    live: Live = field(default_factory=Live)
    match: Match = field(default_factory=Match)
    limits: Limits = field(default_factory=Limits)
    identity: Identity = field(default_factory=Identity)
    fees: Fees = field(default_factory=Fees)
    clock: Clock = field(default_factory=Clock)
    reporter: Reporter = field(default_factory=Reporter)
    webhooks: Webhooks = field(default_factory=Webhooks)
    clearing: Clearing = field(default_factory=Clearing)
    simulator: Simulator = field(default_factory=Simulator)
    market: Market = field(default_factory=Market)
    session: TradingSchedule = field(default_factory=TradingSchedule)
    log: Log = field(default_factory=Log)
    sessions: Mapping[str, TradingSchedule] = field(default_factory=dict, metadata={"section": False})
    """The schedules of markets that have one of their own, by the market's name."""

    def session_of(self, market: str) -> TradingSchedule:
        """The schedule that the stocks of `market` follow."""
        return self.sessions.get(market, self.session)
