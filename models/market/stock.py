"""A listed stock: its rules, its state, and where its worker has got to."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, CreatedAt, Instant


class Stock(Base):
    """One instrument. Prices in cents, bands in basis points, `lot_size` and quantities in shares.

    Fees of its trades go to `fee_account`, which all stocks of a group share: so the workers of two groups never wait
    for each other there.

    The row is also the lock that makes a worker the only writer of the book, and holds what the next turn needs:
    the version of the book, the last sequences given to commands and events, and the stock's own time, which never
    goes backward. `market` names the session schedule that it follows. In an auction the `indicative_` columns say what
    it would bring. `state_reason` is an operator's word, or `volatility` where the price itself called the auction.
    The session of the day is what the tape has behind `session_sequence`; `session_reference` is what its change of
    price counts from.
    """

    __tablename__ = "stocks"
    __table_args__ = (
        CheckConstraint("state IN ('pre_open', 'auction', 'open', 'halted', 'closed', 'delisted')", name="state_known"),
        CheckConstraint("execution_price IN ('maker', 'seller')", name="execution_price_known"),
        CheckConstraint(
            "self_trade_prevention IN ('none', 'cancel_resting', 'cancel_incoming', 'cancel_both', 'decrement')",
            name="self_trade_prevention_known",
        ),
        CheckConstraint("band_reference IN ('session', 'last')", name="band_reference_known"),
        CheckConstraint(
            "tick_size > 0 AND lot_size > 0 AND band_bps >= 0 AND dynamic_band_bps >= 0", name="rules_in_range"
        ),
        Index("ix_stocks_state_since_volatility", "state_since", postgresql_where=text("state_reason = 'volatility'")),
        {"postgresql_with": {"fillfactor": "50"}},
    )

    id: Mapped[int] = mapped_column(BigInteger, ForeignKey("assets.id"), primary_key=True, autoincrement=False)
    symbol: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    group_name: Mapped[str]
    fee_account: Mapped[Amount]
    market: Mapped[str] = mapped_column(server_default=text("'main'"))
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    state_reason: Mapped[str | None]
    state_since: Mapped[Instant | None]
    state_set_by: Mapped[str | None]
    indicative_price: Mapped[Amount | None]
    indicative_volume: Mapped[Amount] = mapped_column(server_default=text("0"))
    indicative_surplus: Mapped[Amount] = mapped_column(server_default=text("0"))
    tick_size: Mapped[Amount]
    lot_size: Mapped[Amount]
    band_bps: Mapped[Amount]
    band_reference: Mapped[str] = mapped_column(server_default=text("'session'"))
    dynamic_band_bps: Mapped[Amount] = mapped_column(server_default=text("0"))
    execution_price: Mapped[str]
    self_trade_prevention: Mapped[str]
    listing_price: Mapped[Amount | None]
    reference_price: Mapped[Amount | None]
    last_price: Mapped[Amount | None]
    best_bid: Mapped[Amount | None]
    best_ask: Mapped[Amount | None]
    best_bid_quantity: Mapped[Amount | None]
    best_ask_quantity: Mapped[Amount | None]
    book_version: Mapped[Amount] = mapped_column(server_default=text("0"))
    command_sequence: Mapped[Amount] = mapped_column(server_default=text("0"))
    event_sequence: Mapped[Amount] = mapped_column(server_default=text("0"))
    book_sequence: Mapped[Amount] = mapped_column(server_default=text("0"))
    sequenced_at: Mapped[Instant | None]
    session_sequence: Mapped[Amount] = mapped_column(server_default=text("0"))
    session_began_at: Mapped[CreatedAt]
    session_reference: Mapped[Amount | None]
    listed_at: Mapped[CreatedAt]
