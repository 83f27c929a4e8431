"""What is told of how a fill came about."""

from marshmallow import Schema, fields

from api.http.fields import Word
from api.market.market_data_schemas import LevelSchema
from api.trading.order_schemas import OrderSchema
from engine.terms.orders import SIDES
from engine.terms.rules import STP_MODES
from engine.terms.states import STATES
from models.command import KINDS
from services.explain.checks import CHECKS
from services.explain.explain import LEFT_OUT
from services.explain.own_fill import ACCOUNTS, OF_TRADE
from services.explain.price_rules import RULES
from services.settlement.fees import LIQUIDITIES


class CausingCommandSchema(Schema):
    """The command that caused a trade; of others it is not told that they closed a position."""

    kind = Word("CommandKind", *KINDS, required=True, allow_none=True, metadata={"description": "Null: not kept."})
    sequenced_at = fields.String(required=True, metadata={"format": "date-time"})


class CheckSchema(Schema):
    """Something that was checked, and the figures that belong to it: prices in cents, quantities in shares."""

    check = Word("ExplainedCheck", *CHECKS, required=True)
    passed = fields.Boolean(required=True)
    state = Word("TradingState", *STATES, metadata={"description": "`trading_state`: that in which it traded."})
    tick_size = fields.Integer(metadata={"description": "`tick`: what the limit is a multiple of."})
    lot_size = fields.Integer(metadata={"description": "`lot`: what the quantity is a multiple of."})
    quantity = fields.Integer(metadata={"description": "`lot`: the order's total at the time."})
    limit = fields.Integer(
        metadata={"description": "`limit_price`, `tick`: at the time; of a buy without one, the most it might pay."}
    )
    price = fields.Integer(metadata={"description": "The trade's, against a limit or a band."})
    reference = fields.Integer(
        allow_none=True, metadata={"description": "`price_band`, `dynamic_band`: what the band lay around."}
    )
    lowest = fields.Integer(metadata={"description": "`price_band`, `dynamic_band`: included."})
    highest = fields.Integer(allow_none=True, metadata={"description": "Included; null without a band."})
    stop_price = fields.Integer(metadata={"description": "`stop_price`: what the last price had to reach."})
    triggered_at = fields.String(allow_none=True, metadata={"format": "date-time"})
    valid_until = fields.String(metadata={"format": "date-time", "description": "`valid_until`: it traded before."})
    needed = fields.Integer(
        metadata={"description": "`reserved`: cents of price and fee, or shares. `fill_or_kill`: shares."}
    )
    set_aside = fields.Integer(metadata={"description": "`reserved`: what was, for these shares."})
    asset = fields.String(metadata={"description": "`reserved`: `cash`, or the symbol."})
    filled = fields.Integer(metadata={"description": "`fill_or_kill`: shares, by the same command."})
    mode = Word(
        "SelfTradePrevention",
        *STP_MODES,
        allow_none=True,
        metadata={"description": "`self_trade_prevention`: the aggressor's, told to it alone."},
    )
    prevented = fields.Integer(allow_none=True, metadata={"description": "Shares, told to the aggressor alone."})


class PlaceSchema(Schema):
    """A place in a queue, first in line first. A new part of an iceberg is a place of its own."""

    quantity = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Shares that showed when its turn came."}
    )
    entered_at = fields.String(
        required=True,
        allow_none=True,
        metadata={"format": "date-time", "description": "When it got its place; null where nobody knows."},
    )
    taken = fields.Integer(required=True, metadata={"description": "Shares of these that traded."})
    in_this_trade = fields.Boolean(required=True)
    order_id = fields.Integer(required=True, allow_none=True, metadata={"description": "Of one's own orders."})
    prevented = fields.Integer(
        required=True, metadata={"description": "Of one's own: shares that self-trade prevention took."}
    )


class ReachedLevelSchema(Schema):
    """A level that was reached, as it showed before, with its places in the order of their priority.

    Where `left_out` says that the book is not known, a level has only what was taken there.
    """

    price = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Null: market orders that waited for an auction."}
    )
    total_quantity = fields.Integer(required=True, allow_none=True)
    order_count = fields.Integer(required=True, allow_none=True)
    orders = fields.List(fields.Nested(PlaceSchema), required=True)
    more_orders = fields.Boolean(required=True, metadata={"description": "More places than are told."})


class PriceRuleSchema(Schema):
    """Which rule gave the price: the resting order's (`maker`), the seller's limit, or the auction's one price."""

    rule = Word("RuleOfPrice", *RULES, required=True)
    sentence = fields.String(required=True)


class MovedForTradeSchema(Schema):
    """What moved from or to one's own accounts: cents of `cash`, or shares of a stock by its symbol."""

    transfer_id = fields.Integer(required=True)
    kind = Word("KindOfTradeTransfer", *OF_TRADE, required=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True)
    from_account = Word("WhoseAccount", *ACCOUNTS, required=True)
    from_bucket = fields.String(required=True)
    to_account = Word("WhoseAccount", *ACCOUNTS, required=True)
    to_bucket = fields.String(required=True)


class BookOfMomentSchema(Schema):
    """The best ten levels a side, as everybody would have seen them."""

    bids = fields.List(fields.Nested(LevelSchema), required=True)
    asks = fields.List(fields.Nested(LevelSchema), required=True)


class LeftOutSchema(Schema):
    """Why the book of the moment is not told."""

    code = Word("WhyLeftOut", *LEFT_OUT, required=True)
    message = fields.String(required=True)


class ExplanationSchema(Schema):
    """A fill and how it came about, as it was executed: prices and money in cents, quantities in shares."""

    trade_id = fields.Integer(required=True)
    symbol = fields.String(required=True)
    side = Word("Side", *SIDES, required=True)
    price = fields.Integer(required=True)
    quantity = fields.Integer(required=True)
    liquidity = Word("Liquidity", *LIQUIDITIES, required=True)
    executed_at = fields.String(required=True, metadata={"format": "date-time"})
    busted = fields.Boolean(required=True, metadata={"description": "Taken back since by clearing."})
    adjusted_price = fields.Integer(
        required=True, allow_none=True, metadata={"description": "At which it stands since, by clearing."}
    )
    order = fields.Nested(OrderSchema, required=True, metadata={"description": "One's own, as it is now."})
    other_order_id = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "The other order of the trade, where that is one's own, too."},
    )
    command_sequence = fields.Integer(required=True, metadata={"description": "Of the stock's journal."})
    command = fields.Nested(CausingCommandSchema, required=True)
    checks = fields.List(fields.Nested(CheckSchema), required=True)
    levels = fields.List(
        fields.Nested(ReachedLevelSchema),
        required=True,
        metadata={
            "description": "The resting side, as far as the aggressor reached into it and as it was when that came, "
            "best first; of an auction's fill the other side. At most 50."
        },
    )
    more_levels = fields.Boolean(required=True)
    hidden_taken = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Shares that an auction traded of what icebergs of that side had not shown."},
    )
    price_rule = fields.Nested(PriceRuleSchema, required=True)
    improvement = fields.Integer(
        required=True,
        metadata={
            "description": "By how much it was better than the order's limit, times the quantity: a buyer got that "
            "back, a seller got it on top. A buy without a limit has the most that it might pay; a sale has none: 0."
        },
    )
    fee = fields.Integer(required=True, metadata={"description": "What this fill cost the order."})
    transfers = fields.List(fields.Nested(MovedForTradeSchema), required=True)
    book_before = fields.Nested(
        BookOfMomentSchema, required=True, allow_none=True, metadata={"description": "Right before the command."}
    )
    book_after = fields.Nested(
        BookOfMomentSchema, required=True, allow_none=True, metadata={"description": "Right after it."}
    )
    left_out = fields.Nested(
        LeftOutSchema, required=True, allow_none=True, metadata={"description": "Null where all of it is known."}
    )
