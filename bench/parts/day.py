"""A trading day of every kind of order, pressed into minutes: pre-open, auctions, halts, switches, close.

The clock leads the whole market through its hours, operators halt and suspend meanwhile, and thousands of orders of
every type come each second. Nothing here is a race: what counts is that afterwards everything is as it must be.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from bench.figures import Figure, at_least, at_most
from bench.loads.every_kind import Client, Operator
from bench.options import Options
from bench.world.world import World, until
from settings.sections import DAILY, Fees, Settings, TradingSchedule
from settings.values import WEEKDAYS

PART = "day"

CLIENTS: Final = 4
ADMIN_KEY: Final = "mxadmin_of_the_bench"
STARTING_SECONDS: Final = 25
"""Until the processes are up, and the day may begin."""

PHASE_SECONDS: Final = 4
"""Pre-open, and each auction."""

DYNAMIC_BAND_BPS: Final = 250
LONGEST_CLOSE_SECONDS: Final = 600

FEES: Final = Fees(maker_bps=3, taker_bps=10, tiers=(f"{10**12}:1:5",))

STATUSES: Final = ("filled", "cancelled", "expired", "rejected")
COUNTS: Final = """
    SELECT count(*) AS orders, count(*) FILTER (WHERE filled_quantity > 0) AS traded,
        count(*) FILTER (WHERE triggered_at IS NOT NULL) AS elected,
        count(*) FILTER (WHERE display_quantity < filled_quantity) AS renewed,
        count(*) FILTER (WHERE prevented_quantity > 0) AS prevented,
        count(DISTINCT order_type) AS types, count(DISTINCT time_in_force) AS times
    FROM orders
"""


def measure(options: Options) -> Iterator[Figure]:
    """One day, with `seconds` of continuous trading."""
    began = _next_second() + timedelta(seconds=STARTING_SECONDS)
    settings = _settings(options.settings, began, options.seconds)
    with World(options.stocks, options.brokers, settings) as world:
        world.open()
        seen, seconds = _trade(world, options.seed)
        world.drain(LONGEST_CLOSE_SECONDS)
        yield from _figures(world, seen, seconds)
        yield from world.proof(PART, "the day")


def _settings(given: Settings, began: datetime, seconds: int) -> Settings:
    """The hours of a market whose clocks show noon or so, that no day may end in the midst of it."""
    west = began.hour - 12
    zone = f"Etc/GMT{west:+d}" if west else "UTC"
    local = began - timedelta(hours=west)
    opening = local + timedelta(seconds=PHASE_SECONDS)
    open_at = opening + timedelta(seconds=PHASE_SECONDS)
    closing = open_at + timedelta(seconds=seconds + 2)
    ends = closing + timedelta(seconds=PHASE_SECONDS)
    pre_open, opening_auction, opened, closing_auction, close = (
        moment.strftime("%H:%M:%S") for moment in (local, opening, open_at, closing, ends)
    )
    hours = TradingSchedule(
        schedule=DAILY,
        timezone=zone,
        days=WEEKDAYS,
        pre_open=pre_open,
        opening_auction=opening_auction,
        open=opened,
        closing_auction=closing_auction,
        close=close,
        random_end_seconds=1,
        volatility_auction_seconds=2,
    )
    market = replace(given.market, dynamic_band_bps=DYNAMIC_BAND_BPS)
    exchange = replace(given.exchange, admin_key=ADMIN_KEY)
    return replace(given, exchange=exchange, market=market, session=hours, fees=FEES)


def _next_second() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)


def _trade(world: World, seed: int) -> tuple[Counter[str], float]:
    """Trade from the pre-open to the close; what was asked and answered, and how many seconds it took."""
    stopped = threading.Event()
    until(lambda: _stocks_in(world, "pre_open"), "the market begins its day", STARTING_SECONDS * 4)
    began = time.monotonic()
    traders = [world.traders[n::CLIENTS] for n in range(CLIENTS)]
    clients = [Client(world.url, world.symbols, some, seed + n) for n, some in enumerate(traders)]
    operator = Operator(world.url, ADMIN_KEY, world.symbols, world.traders, seed)
    with ThreadPoolExecutor(CLIENTS + 1) as threads:
        running = [threads.submit(client.run, stopped) for client in clients]
        running.append(threads.submit(operator.run, stopped))
        try:
            until(
                lambda: _closed(world) or any(task.done() for task in running), "the close", LONGEST_CLOSE_SECONDS, 0.5
            )
        finally:
            stopped.set()
        for task in running:
            task.result()
    seen: Counter[str] = Counter()
    for client in clients:
        seen.update(client.seen)
        seen.update(client.codes)
    seen.update(operator.seen)
    return seen, time.monotonic() - began


def _stocks_in(world: World, state: str) -> int:
    return int(world.scalar("SELECT count(*) FROM stocks WHERE state = :state", state=state))


def _closed(world: World) -> bool:
    """True if the close has been asked for: the last phase of the day."""
    return bool(world.scalar("SELECT phase = 'close' AND began_at < now() FROM market_sessions WHERE market = 'main'"))


def _figures(world: World, seen: Counter[str], seconds: float) -> Iterator[Figure]:
    (counts,) = world.rows(COUNTS)
    commands = world.latest_command()
    told = ", ".join(f"{seen[what]:,} {what}" for what in ("amendments", "cancels", "mass cancels", "switches"))
    yield Figure(PART, "commands matched", commands, "", (), f"{told}; in {seconds:.0f} s")
    yield Figure(PART, "commands a second", commands / seconds if seconds else math.nan, "", ())
    halts = f"{seen['state']} changes of state and {seen['suspend']} suspensions by hand"
    moved = f"{seen['deposit']} deposits, {seen['withdraw']} withdrawals, {seen['fees']} changes of fees"
    yield Figure(PART, "positions closed", seen["positions closed"], "", at_least(1), moved)
    paid = int(world.scalar("SELECT coalesce(sum(available), 0) FROM balances WHERE broker_id < 0"))
    yield Figure(PART, "fees paid, cents", paid, "", at_least(1))
    auctions = world.scalar("SELECT count(*) FROM events WHERE payload ->> 'reason' = 'volatility'")
    yield Figure(PART, "orders", counts.orders, "", (), f"{counts.traded:,} of them traded; {halts}")
    yield Figure(PART, "volatility auctions", int(auctions), "", at_least(1))
    for what, value in (
        ("stops elected", counts.elected),
        ("icebergs that showed a new part", counts.renewed),
        ("orders that self-trade prevention took from", counts.prevented),
    ):
        yield Figure(PART, what, value, "", at_least(1))
    yield Figure(PART, "order types and times in force", counts.types + counts.times, "", at_least(9), vital=True)
    refused = ", ".join(f"{code} {number:,}" for code, number in seen.most_common() if "_" in code)
    wrong = sum(number for code, number in seen.items() if code.startswith("http 5") and code != "http 503")
    wrong += seen["unknown_stock"]  # every order names a listed one
    yield Figure(PART, "answers of a broken exchange", wrong, "", at_most(0), refused, vital=True)
    left = world.scalar("SELECT count(*) FROM orders WHERE closed_at IS NULL AND time_in_force = 'day'")
    yield Figure(PART, "DAY orders left after the close", int(left), "", at_most(0), vital=True)
