"""Who trades."""

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, CreatedAt, Id, Instant, Total

OWN = 0
"""Ids below are of the exchange's own accounts, which hold what they are paid and have neither keys nor orders."""


GUARANTEE = "Guarantee"
"""The name of that own account which advances what debtors lack."""


class Broker(Base):
    """A member of the exchange; its keys are in `api_keys`. Or with a negative id an account of the exchange itself.

    One that owes to the guarantee account is `close_only` until it has repaid; nobody else is.

    `short_limit` (shares of each stock) is the `credit_limit` that its share balances start with. Unless it is heard of
    again before `cancel_after`, all its orders are cancelled then. A guest has signed up, and has limits of its own.
    `maker_bps` and `taker_bps` are fees of its own; null is that of its tier, which follows from `turnover_30d` (cents
    bought and sold in 30 days, as of the daily roll). Whenever these change, `fee_version` does, here and on the cash
    balance: so what reserves for an order notices that its fees are of before.
    """

    __tablename__ = "brokers"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'close_only', 'suspended')", name="status_known"),
        CheckConstraint("short_limit >= 0", name="short_limit_not_negative"),
        CheckConstraint("least(maker_bps, taker_bps) >= 0 AND greatest(maker_bps, taker_bps) <= 1000", name="fees"),
        Index("uq_brokers_name_own", "name", unique=True, postgresql_where=text("id < 0")),
        Index("ix_brokers_close_only", "id", postgresql_where=text("status = 'close_only'")),
        Index("ix_brokers_cancel_after", "cancel_after", postgresql_where=text("cancel_after IS NOT NULL")),
    )

    id: Mapped[Id]
    name: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'active'"))
    short_limit: Mapped[Amount] = mapped_column(server_default=text("0"))
    cancel_after: Mapped[Instant | None]
    is_guest: Mapped[bool] = mapped_column(server_default=text("false"))
    maker_bps: Mapped[Amount | None]
    taker_bps: Mapped[Amount | None]
    turnover_30d: Mapped[Total] = mapped_column(server_default=text("0"))
    fee_version: Mapped[Amount] = mapped_column(server_default=text("0"))
    created_at: Mapped[CreatedAt]
