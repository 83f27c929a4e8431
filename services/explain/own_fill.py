"""What is stored of a fill, for whose it is."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from models import CASH
from models.accounts.broker import OWN
from services.accounts.errors import NotYourTrade, UnknownTrade
from services.accounts.external_transfers import CASH_NAME
from services.order_entry.read_orders import read_order
from services.settlement.fees import AUCTION, MAKER, TAKER

TRADE: Final = text("""
    SELECT t.*, t.busted_at IS NOT NULL AS busted, s.symbol, c.kind, c.broker_id AS asked_by,
        (SELECT order_type FROM orders WHERE id = t.sell_order_id) AS sale_type
    FROM trades t JOIN stocks s ON s.id = t.stock_id
    LEFT JOIN commands c ON c.stock_id = t.stock_id AND c.sequence = t.command_sequence
    WHERE t.id = :trade_id
""")

STOCK: Final = text("SELECT * FROM stocks WHERE id = :stock_id")

FILL: Final = text("""
    SELECT price AS limit_price, quantity, fee FROM account_events
    WHERE order_id = :order_id AND trade_id = :trade_id
""")
"""The order as it stood with this fill: its limit, or the most that a buy without one may pay. By the index of an
order's fills: a broker may have had millions."""

OF_COMMAND: Final = text("""
    WITH bounds AS (
        SELECT (
            SELECT sequence FROM trades
            WHERE stock_id = :stock_id AND sequence < :sequence AND command_sequence < :command_sequence
            ORDER BY sequence DESC LIMIT 1
        ) AS before, (
            SELECT sequence FROM trades
            WHERE stock_id = :stock_id AND sequence > :sequence AND command_sequence > :command_sequence
            ORDER BY sequence LIMIT 1
        ) AS behind
    )
    SELECT count(*) AS trades, count(*) FILTER (WHERE t.sequence < :sequence) AS place,
        CAST(sum(t.quantity) AS text) AS volume, CAST(sum(CAST(t.price AS numeric) * t.quantity) AS text) AS notional,
        count(*) FILTER (
            WHERE t.sequence < :sequence AND (t.is_auction <> :is_auction OR NOT :is_auction
                AND CASE :aggressor_side WHEN 'bid' THEN t.buy_order_id ELSE t.sell_order_id END <> :aggressor_id)
        ) AS others_before
    FROM bounds, trades t
    WHERE t.stock_id = :stock_id AND t.sequence > coalesce(bounds.before, 0)
        AND t.sequence < coalesce(bounds.behind, 9223372036854775807)
""")
"""The trades of the same command. They stand together on the tape, so no index of commands is needed: it is looked at
both sides only as far as they reach."""

MOVED: Final = text("""
    SELECT m.id, m.kind, m.asset_id, m.amount, m.from_broker, m.from_bucket, m.to_broker, m.to_bucket
    FROM transfers m, (
        SELECT min(id) AS first, max(id) AS last FROM transfers WHERE trade_id = :trade_id AND kind = 'trade'
    ) AS of_trade
    WHERE m.id BETWEEN of_trade.first AND of_trade.last AND m.trade_id = :trade_id
        AND :broker_id IN (m.from_broker, m.to_broker)
    ORDER BY m.id
""")
"""What moved for a trade lies between the cash and the shares, so that the rest of it needs no index of its own."""


OF_TRADE: Final = ("trade", "improvement", "fee")
"""The kinds of transfers that a trade may have."""

OWN_ACCOUNT, COUNTERPARTY, EXCHANGE = "own", "counterparty", "exchange"
ACCOUNTS: Final = (OWN_ACCOUNT, COUNTERPARTY, EXCHANGE)
"""Whose account something came from or went to."""


@dataclass(frozen=True, slots=True)
class OwnFill:
    """A fill of one's own. Prices in cents, quantities in shares."""

    broker_id: int
    trade: Any
    """The trade's row, and the `kind` of the command that brought it, `asked_by` some broker or nobody."""
    stock: Any
    side: str
    order: dict[str, Any]
    """As the API shows it."""
    other_order_id: int | None
    """The other order of the trade, where that is one's own, too."""
    limit: int | None
    """The order's limit at the time; of a buy without one the most that it might pay. None for a sale without one."""
    quantity: int
    """The order's total at the time."""
    fee: int
    of_command: Any
    """How many trades the command brought, how many of them before this one, and what they came to."""
    transfers: list[dict[str, Any]]

    @property
    def liquidity(self) -> str:
        """What the order was in the trade: one of LIQUIDITIES."""
        if self.trade.is_auction:
            return AUCTION
        return TAKER if self.side == self.trade.aggressor_side else MAKER

    @property
    def is_aggressor(self) -> bool:
        """Whether the order came to one that rested."""
        return self.liquidity == TAKER


def read_own_fill(session: Statements, broker_id: int, trade_id: int) -> OwnFill:
    """The broker's fill in this trade. Raises UnknownTrade, NotYourTrade.

    Of a broker that is on both sides it is the aggressor's, or in an auction the buyer's.
    """
    trade = session.execute(TRADE, {"trade_id": trade_id}).one_or_none()
    if trade is None:
        raise UnknownTrade(f"There is no trade {trade_id}.")
    sides = [side for side, owner in (("bid", trade.buyer_id), ("ask", trade.seller_id)) if owner == broker_id]
    if not sides:
        raise NotYourTrade
    side = trade.aggressor_side if len(sides) > 1 and not trade.is_auction else sides[0]
    orders = {"bid": trade.buy_order_id, "ask": trade.sell_order_id}
    fill = session.execute(FILL, {"order_id": orders[side], "trade_id": trade_id}).one()
    place = {
        **{name: getattr(trade, name) for name in ("stock_id", "sequence", "command_sequence", "is_auction")},
        "aggressor_side": trade.aggressor_side,
        "aggressor_id": orders[trade.aggressor_side],
    }
    return OwnFill(
        broker_id,
        trade,
        session.execute(STOCK, {"stock_id": trade.stock_id}).one(),
        side,
        read_order(session, broker_id, orders[side]),
        orders["ask" if side == "bid" else "bid"] if len(sides) > 1 else None,
        fill.limit_price,
        fill.quantity,
        fill.fee or 0,
        session.execute(OF_COMMAND, place).one(),
        _transfers(session, broker_id, trade),
    )


def _transfers(session: Statements, broker_id: int, trade: Any) -> list[dict[str, Any]]:
    """What of the trade moved from or to the broker, in order."""
    symbol = trade.symbol
    return [
        {
            "transfer_id": row.id,
            "kind": row.kind,
            "asset": CASH_NAME if row.asset_id == CASH else symbol,
            "amount": row.amount,
            "from_account": _whose(row.from_broker, broker_id),
            "from_bucket": row.from_bucket,
            "to_account": _whose(row.to_broker, broker_id),
            "to_bucket": row.to_bucket,
        }
        for row in session.execute(MOVED, {"trade_id": trade.id, "broker_id": broker_id})
    ]


def _whose(account: int, broker_id: int) -> str:
    if account == broker_id:
        return OWN_ACCOUNT
    return EXCHANGE if account <= OWN else COUNTERPARTY
