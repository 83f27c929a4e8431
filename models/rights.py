"""What a role that owns nothing may do with the tables: the processes, and live, which only reads.

The owner is asked for none of it: he migrates, and what he makes is his.
"""

from typing import Final

APPENDED: Final = ("account_events", "audit_log", "events", "receivable_entries", "transfers")
"""Tables that the processes add to and never change: what was told and what was moved stays as it was written."""

MARKED: Final = {"trades": ("busted_at", "adjusted_price")}
"""Such whose rows may be marked, in these columns: what was executed stays as it was."""

LOOKED_AT: Final = ("alembic_version",)
"""Tables of which the processes read where the schema stands."""

READ: Final[dict[str, tuple[str, ...]]] = {
    "account_counters": (),
    "account_events": (),
    "admin_keys": ("key_hash",),
    "alembic_version": (),
    "api_keys": ("id", "broker_id", "key_hash", "scopes", "allowed_addresses", "expires_at", "revoked_at"),
    "brokers": (
        "id",
        "name",
        "status",
        "is_guest",
        "maker_bps",
        "taker_bps",
        "turnover_30d",
        "fee_version",
    ),
    "busts": ("id", "trade_id", "new_price", "rule", "reason", "event_sequence", "done_at"),
    "candles": (),
    "epochs": (),
    "events": (),
    "orders": (
        *(
            "id",
            "broker_id",
            "priority",
            "stock_id",
            "side",
            "price",
            "status",
            "closed_at",
            "shown_quantity",
            "remaining_quantity",
        ),
        *("client_order_id", "order_type", "time_in_force", "stop_price", "valid_until"),
        *("created_at", "sequence"),
    ),
    "reported_stocks": (),
    "stocks": (),
    "trades": (
        "id",
        "stock_id",
        "sequence",
        "price",
        "quantity",
        "aggressor_side",
        "is_auction",
        "executed_at",
        "busted_at",
        "adjusted_price",
    ),
    "user_sessions": ("id", "user_id", "expires_at", "ended_at"),
    "users": ("id", "username", "role", "broker_id", "is_active"),
}
"""What live reads: who somebody is, the market, and what brokers were told of their orders, for who has missed it.

Columns of each table, all where none are named. No document of a customer, no secret, no balance, no transfer.
"""

DEBUGGING: Final = ("reset_exchange()", "reset_clearing()")
"""Functions for sandboxes, which do what the processes may not do themselves."""


def rights_of_process(table: str) -> str:
    """The privileges that the processes have on a table, as GRANT lists them."""
    if table in LOOKED_AT:
        return "SELECT"
    if table in MARKED:
        return f"SELECT, INSERT, UPDATE ({', '.join(MARKED[table])})"
    return "SELECT, INSERT" if table in APPENDED else "SELECT, INSERT, UPDATE, DELETE"
