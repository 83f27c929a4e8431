"""What is said of positions that are being closed."""

from marshmallow import Schema, fields

from api.http.problem_schemas import RefusalSchema


class ClosedPositionSchema(Schema):
    """One position: the order that closes it, or why it is not being closed."""

    symbol = fields.String(required=True)
    order_id = fields.Integer(required=True, allow_none=True)
    refusal = fields.Nested(RefusalSchema, required=True, allow_none=True)


class ClosedPositionsSchema(Schema):
    """All positions, in the order of their stocks."""

    items = fields.List(fields.Nested(ClosedPositionSchema), required=True)
