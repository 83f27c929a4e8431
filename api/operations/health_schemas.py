"""What monitors see."""

from marshmallow import Schema, fields


class HealthSchema(Schema):
    """Whether the exchange is up, and what it lacks."""

    status = fields.String(required=True, metadata={"enum": ["up", "degraded", "down"]})
    missing = fields.List(fields.String(), required=True)


class ReadySchema(Schema):
    """Whether this process can answer."""

    ready = fields.Boolean(required=True)


class TimeSchema(Schema):
    """The exchange's clock, in UTC."""

    time = fields.String(required=True, metadata={"format": "date-time"})
    microseconds = fields.Integer(required=True, metadata={"description": "Since 1970."})
