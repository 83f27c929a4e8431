"""What cancels of many orders look like."""

from typing import ClassVar

from marshmallow import Schema, fields

from api.http.fields import Side, Symbol, Whole

LONGEST_SILENCE = 86_400
"""Seconds: a day."""


class CancelFilterSchema(Schema):
    """Which of one's orders to cancel; without any condition all of them."""

    symbol = Symbol()
    side = Side()


class MassCancelSchema(Schema):
    """How many orders this took out of the book, and how many cancels still wait to be taken."""

    cancelled = fields.Integer(required=True)
    queued = fields.Integer(required=True)


class CancelAfterSchema(Schema):
    """How long one may be silent."""

    EXAMPLES: ClassVar = {"In a minute": {"seconds": 60}, "Never": {"seconds": 0}}

    seconds = Whole(0, LONGEST_SILENCE, required=True, metadata={"description": "0 turns the switch off."})


class SwitchSchema(Schema):
    """When the orders will be cancelled."""

    seconds = fields.Integer(required=True)
    cancel_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
