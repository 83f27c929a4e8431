"""The sections of `exchange.toml` about single processes, with defaults and bounds."""

from __future__ import annotations

from dataclasses import dataclass, field

from settings.fields import number, secret


@dataclass(frozen=True)
class Web:
    """The REST processes."""

    host: str = "127.0.0.1"
    port: int = number(8000, 0, 65_535)
    processes: int = number(0, 0, 64)
    connections: int = number(1_000, 1, 100_000)
    connections_of_address: int = number(500, 1, 100_000)
    waiting: int = number(64, 1, 10_000)
    body_limit_bytes: int = number(65_536, 1_024, 16_777_216)
    batch_body_limit_bytes: int = number(1_048_576, 1_024, 67_108_864)
    body_deadline_ms: int = number(5_000, 100, 60_000)
    max_wait_seconds: int = number(10, 0, 60)
    cancel_wait_ms: int = number(2_000, 0, 60_000)
    key_cache_ms: int = number(1_500, 0, 5_000)
    public_market_data: bool = True


@dataclass(frozen=True)
class Live:
    """The processes of Socket.IO and of the event stream."""

    host: str = "127.0.0.1"
    port: int = number(8001, 0, 65_535)
    url: str = ""
    connections: int = number(10_000, 1, 100_000)
    connections_of_address: int = number(5_000, 1, 100_000)
    channels: int = number(2_000, 1, 100_000)
    streams: int = number(500, 1, 100_000)
    streams_of_address: int = number(20, 1, 100_000)
    origins: tuple[str, ...] = ()
    snapshot_interval_ms: int = number(1_000, 50, 60_000)
    heartbeat_seconds: int = number(15, 1, 300)
    resume_events: int = number(100_000, 0, 10**9)


@dataclass(frozen=True)
class Match:
    """The group workers."""

    groups: tuple[str, ...] = field(default=("A",), metadata={"kind": "group", "least": 1})
    turn_limit: int = number(2_000, 1, 100_000)
    backlog_limit: int = number(20_000, 0, 10_000_000)
    idle_in_transaction_ms: int = number(2_000, 100, 60_000)
    lock_timeout_ms: int = number(4_000, 100, 60_000)


@dataclass(frozen=True)
class Clock:
    """The periodic jobs."""

    interval_ms: int = number(250, 10, 60_000)
    sweep_after_ms: int = number(1_000, 50, 60_000)
    lease_seconds: int = number(5, 1, 300)


@dataclass(frozen=True)
class Webhooks:
    """What brokers' receivers are told, and by whom; `schedule` are the seconds between an attempt and the next."""

    enabled: bool = True
    allow_private: bool = False
    timeout_ms: int = number(15_000, 100, 60_000)
    ca_file: str = ""
    schedule: tuple[str, ...] = field(
        default=("5", "300", "1800", "7200", "18000", "36000", "50400", "72000", "86400"),
        metadata={"kind": "seconds", "least": 1, "repeats": True},
    )
    connections: int = number(200, 2, 2_000)
    keep_days: int = number(30, 1, 36_500)


@dataclass(frozen=True)
class Simulator:
    """The market that lives. `enabled` is None where nothing is said of it; `clustering` in percent.

    Its brokers come with their keys: of the market makers, and of the people.
    """

    enabled: bool | None = None
    seed: int = number(1, 0, 2**53)
    rate: int = number(20, 1, 10_000)
    clustering: int = number(85, 0, 99)
    stocks: tuple[str, ...] = field(default=(), metadata={"kind": "symbol"})
    url: str = ""
    live_url: str = ""
    makers_key: str = secret("key")
    people_key: str = secret("key")


@dataclass(frozen=True)
class Reporter:
    """What follows the tapes, and keeps and tells prices and candles."""

    interval_ms: int = number(100, 10, 60_000)
    seconds_kept_days: int = number(7, 0, 36_500)
    lease_seconds: int = number(5, 1, 300)
