"""Trades with what the rules say of them."""

from marshmallow import Schema, fields

from api.http.fields import Choice, Sum, Symbol, Word
from api.http.paging import PageQuerySchema
from engine.terms.orders import SIDES
from services.clearing.read_verdicts import VERDICTS
from services.clearing.rules import names


class JudgedTradeQuerySchema(PageQuerySchema):
    """Which trades."""

    verdict = Choice(*VERDICTS, named="Verdict", load_default=None)
    symbol = Symbol(load_default=None)


class JudgedTradeSchema(Schema):
    """A trade as those see it who decide about it."""

    trade_id = fields.Integer(required=True)
    symbol = fields.String(required=True)
    sequence = fields.Integer(required=True)
    price = fields.Integer(required=True, metadata={"description": "Cents at which it stands."})
    adjusted_from = fields.Integer(required=True, allow_none=True)
    quantity = fields.Integer(required=True)
    notional = Sum(required=True, metadata={"description": "Cents, as it was executed."})
    aggressor_side = Word("Side", *SIDES, required=True)
    executed_at = fields.DateTime(required=True)
    buyer_id = fields.Integer(required=True)
    seller_id = fields.Integer(required=True)
    buy_order_id = fields.Integer(required=True)
    sell_order_id = fields.Integer(required=True)
    reference = fields.Integer(required=True, allow_none=True, metadata={"description": "Its own, in cents."})
    deviation_bps = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Basis points from its reference; negative below."}
    )
    verdict = Word("Verdict", *VERDICTS, required=True)
    is_judged = fields.Boolean(required=True, metadata={"description": "False until the rules are asked."})
    rule = Word("Rule", *names(), required=True, allow_none=True)
    broken = fields.List(fields.Dict(), required=True, metadata={"description": "All that it breaks, with figures."})
    window_ends_at = fields.DateTime(required=True, metadata={"description": "Until when a bust can be asked for."})
    stands_by = fields.String(required=True, allow_none=True)
    stands_reason = fields.String(required=True, allow_none=True)


class JudgedTradePageSchema(Schema):
    """A page of trades, newest first."""

    items = fields.List(fields.Nested(JudgedTradeSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
