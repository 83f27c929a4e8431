"""What a batch of orders looks like, coming and going."""

from typing import Any, ClassVar, Final

from marshmallow import Schema, ValidationError, fields, validate

from api.access.charging import charge
from api.http.arguments import loaded, refuse_strange
from api.http.fields import Strict
from api.http.problem_schemas import RefusalSchema
from api.http.problems import InvalidRequest
from api.runtime.rate_limits import ORDERS
from api.trading.new_order_schemas import EXAMPLE, NewOrderSchema
from api.trading.order_schemas import PlacedSchema
from services.errors import kept
from services.order_entry.requests import OrderRequest
from serving.present import pause

MOST: Final = 500
"""Orders in one batch."""

ORDER: Final = NewOrderSchema()


class EachOrder(Strict, fields.List[Any]):
    """Orders, each checked for itself: an OrderRequest, or the InvalidRequest that it would have got alone.

    They are charged before the first of them is looked at: to check them is most of the work.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(fields.Nested(NewOrderSchema), validate=validate.Length(1, MOST), **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> list[Any]:
        if type(value) is not list or not 1 <= len(value) <= MOST:
            raise ValidationError(f"Must be a list of 1 to {MOST} orders.")
        charge(ORDERS, len(value))
        return [_checked(order) for order in value]


class BatchSchema(Schema):
    """Orders to be placed with one request."""

    EXAMPLES: ClassVar = {
        "A quote": {
            "orders": [
                {**EXAMPLE, "quantity": 100, "price": 3_490},
                {**EXAMPLE, "side": "ask", "quantity": 100, "price": 3_510},
            ]
        }
    }

    orders = EachOrder(required=True)


class ResultSchema(Schema):
    """What one order of a batch got: `order` where it was accepted, else `problem`."""

    status = fields.Integer(
        required=True, metadata={"description": "The HTTP status that the order would have got alone."}
    )
    order = fields.Nested(PlacedSchema)
    problem = fields.Nested(RefusalSchema)


class BatchAnswerSchema(Schema):
    """One result for each order, in the same order."""

    results = fields.List(fields.Nested(ResultSchema), required=True)


def _checked(order: Any) -> OrderRequest | InvalidRequest:
    if type(order) is not dict:
        return InvalidRequest("Each order is an object.")
    pause()
    try:
        refuse_strange(order, ORDER)
        request: OrderRequest = loaded(ORDER, order)
    except InvalidRequest as refusal:
        return kept(refusal)
    return request
