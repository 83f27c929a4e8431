"""What is asked of a preview, and what it tells."""

from typing import Any, ClassVar, Final

from marshmallow import Schema, fields

from api.http.fields import Whole
from api.http.problem_schemas import RefusalSchema
from api.trading.new_order_schemas import EXAMPLE, NewOrderSchema
from api.trading.order_schemas import AmendmentSchema


class AmendmentPreviewSchema(AmendmentSchema):
    """An amendment, and of which order."""

    order_id = Whole(1, required=True)


AMENDMENT: Final = AmendmentPreviewSchema()


class PreviewSchema(NewOrderSchema):
    """An order as one would place it, or with an `order_id` an amendment of that order."""

    ONE_OF: ClassVar = (NewOrderSchema, AmendmentPreviewSchema)
    EXAMPLES: ClassVar = {
        "An order": {**EXAMPLE, "quantity": 100, "price": 3_500},
        "A market order": {**EXAMPLE, "quantity": 100, "order_type": "market"},
    }

    def load(self, data: Any, **options: Any) -> Any:
        """An OrderRequest, or the values of an Amendment."""
        return AMENDMENT.load(data, **options) if "order_id" in data else super().load(data, **options)


class ReservesSchema(Schema):
    """What is set aside: cents of `cash`, or shares of a stock by its symbol."""

    asset = fields.String(required=True)
    amount = fields.Integer(required=True)


class PriceRangeSchema(Schema):
    """The prices that an order may have now, in cents, around the reference."""

    lowest = fields.Integer(required=True)
    highest = fields.Integer(required=True)
    reference = fields.Integer(required=True, allow_none=True)


class AgainstSchema(Schema):
    """Something that stands against an order, and the value of the field that would do instead, where there is one."""

    field = fields.String(required=True, allow_none=True)
    code = fields.String(required=True)
    message = fields.String(required=True)
    nearest = fields.Integer(required=True, allow_none=True)


class PreviewedSchema(Schema):
    """What an order would come to now: prices and money in cents, quantities in shares."""

    accepted = fields.Boolean(required=True)
    refusal = fields.Nested(
        RefusalSchema, required=True, allow_none=True, metadata={"description": "What it would be answered."}
    )
    refusals = fields.List(
        fields.Nested(AgainstSchema), required=True, metadata={"description": "All that stands against it."}
    )
    fills_now = fields.Integer(required=True, metadata={"description": "By the book that everybody sees."})
    average_price = fields.Float(required=True, allow_none=True, metadata={"description": "Of what fills now."})
    rests = fields.Integer(required=True)
    quantity_ahead = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Shares before it at its price."}
    )
    keeps_priority = fields.Boolean(required=True, allow_none=True, metadata={"description": "Of an amendment."})
    notional = fields.Integer(
        required=True, metadata={"description": "What fills now at the prices of the book, and what rests at its own."}
    )
    fee = fields.Integer(required=True, metadata={"description": "What that would cost."})
    fee_bps = fields.Integer(required=True, metadata={"description": "The rate that counts first."})
    reserves = fields.Nested(ReservesSchema, required=True)
    available_after = fields.Integer(required=True, metadata={"description": "Of the same asset."})
    max_quantity = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The largest that would be taken."}
    )
    price_range = fields.Nested(PriceRangeSchema, required=True)
