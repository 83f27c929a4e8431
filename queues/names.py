"""The names of keys, channels and rooms, in one place."""

PREFIX = "minex:"

EVENTS_CHANNEL = f"{PREFIX}events"
"""Every turn's messages for the rooms, one JSON array a turn."""

REPORTS_CHANNEL = f"{PREFIX}reports"
"""What the reporter tells of prices and candles, in the same form; it may say nothing else."""

PROBE = f"{PREFIX}probe"
"""Written to see whether Redis takes writes again."""

COUNTERS = f"{PREFIX}moving-limit"
"""What the counters of limits have in common; the library `limits` puts its own name before it."""


BUCKETS = f"{PREFIX}buckets"
"""What the keys of token buckets have in common."""


def match_queue(symbol: str) -> str:
    """The RQ queue dedicated to one stock."""
    return f"match.{symbol}"


WEBHOOK_QUEUE = "webhooks"
"""The RQ queue of brokers whose receivers have something to be told."""


CLEARING_QUEUE = "clearing"
"""The RQ queue of whoever judges trades."""


def clearing_flag() -> str:
    """Set while a job of that queue is waiting."""
    return f"{PREFIX}clearing"


WEBHOOK_JOB = f"{WEBHOOK_QUEUE}-"
"""How the id of a job in it begins; the broker's follows."""


def webhook_flag(broker_id: int | str) -> str:
    """Set while a job for the broker's hook is waiting, so that there is at most one."""
    return f"{PREFIX}hook:{broker_id}"


def wake_flag(symbol: str) -> str:
    """Set while a wake-up for the stock is waiting, so that there is at most one."""
    return f"wake:{symbol}"


def ready_set(group: str) -> str:
    """The sorted set of a group's stocks that have wake-ups waiting, oldest first."""
    return f"{PREFIX}ready:{group}"


def heartbeats(group: str) -> str:
    """The sorted set of a group's workers, by when each was last heard of."""
    return f"{PREFIX}heartbeats:{group}"


def book(symbol: str) -> str:
    """The cached snapshot of a stock's book."""
    return f"{PREFIX}book:{symbol}"


def replies_channel(process: str) -> str:
    """The channel on which one process hears that commands it waits for are settled."""
    return f"{PREFIX}replies:{process}"


def log_ins(pair: str) -> str:
    """The hash with the failures of one name from one address to log in; `pair` stands for both."""
    return f"{PREFIX}log-ins:{pair}"


def room(kind: str, key: str | int) -> str:
    """A room of the streams: `stock` and `book` of a symbol, `candles` of one and an interval, `user` of a broker."""
    return f"{kind}:{key}"
