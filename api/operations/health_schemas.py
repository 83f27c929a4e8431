"""What monitors see."""

from marshmallow import Schema, fields

from api.http.fields import Word


class WaitingStockSchema(Schema):
    """A stock that is not being matched, for whatever reason."""

    symbol = fields.String(required=True)
    group = fields.String(required=True)
    seconds = fields.Integer(required=True, metadata={"description": "How long its oldest command has waited."})


class HealthSchema(Schema):
    """Whether the exchange is up, and what it lacks."""

    status = Word("HealthStatus", "up", "degraded", "down", required=True)
    missing = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "`postgresql`, `redis`, and `match-GROUP` for each group without a worker."},
    )
    waiting = fields.List(
        fields.Nested(WaitingStockSchema),
        required=True,
        metadata={"description": "Stocks whose oldest command waits longer than 5 s: the first 20, longest first."},
    )
    suspended = fields.Boolean(required=True, metadata={"description": "`rq suspend` keeps all workers from matching."})


class ReadySchema(Schema):
    """Whether this process can answer."""

    ready = fields.Boolean(required=True)


class TimeSchema(Schema):
    """The exchange's clock, in UTC."""

    time = fields.String(required=True, metadata={"format": "date-time"})
    microseconds = fields.Integer(required=True, metadata={"description": "Since 1970."})
