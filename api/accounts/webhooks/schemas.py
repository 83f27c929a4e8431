"""What webhooks and their deliveries look like."""

from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validate

from api.accounts.key_schemas import LONGEST_OVERLAP
from api.http.fields import Choice, Flag, Strict, Text, Whole, Word
from api.http.paging import PageQuerySchema
from services.webhooks.read_deliveries import STATUSES
from services.webhooks.subscriptions import EVENTS, FAILING, OFF, WELL
from services.webhooks.urls import LONGEST_URL, check_url


def check_web_address(url: str) -> None:
    """Raises ValidationError for what no delivery can be sent to."""
    try:
        check_url(url)
    except ValueError as error:
        raise ValidationError(str(error)) from error


class EventList(Strict, fields.List[Any]):
    """One or more events, each once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Choice(*EVENTS, named="WebhookEvent"), validate=validate.Length(min=1), **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        events = super()._deserialize(value, attr, data, **kwargs)
        if len(set(events)) < len(events):
            raise ValidationError("An event is given more than once.")
        return events


class NewWebhookSchema(Schema):
    """Where one is to be told, and of what."""

    EXAMPLES: ClassVar = {
        "Everything": {"url": "https://receiver.example/minex"},
        "Trades alone": {"url": "https://receiver.example/minex", "events": ["trade_executed"]},
        "Off for now": {"url": "https://receiver.example/minex", "enabled": False},
    }

    url = Text(1, LONGEST_URL, required=True, validate=check_web_address)
    events = EventList(load_default=EVENTS, metadata={"description": "Left out, all of them."})
    enabled = Flag(load_default=True, metadata={"description": "While it is off, what waits is kept."})


class WebhookSchema(Schema):
    """One's hook, and how its receiver fares."""

    url = fields.String(required=True, allow_none=True)
    events = fields.List(Word("WebhookEvent", *EVENTS), required=True)
    enabled = fields.Boolean(required=True)
    state = Word("WebhookState", WELL, FAILING, OFF, required=True)
    waiting = fields.Integer(required=True, metadata={"description": "Deliveries that are not delivered yet."})
    blocked_by = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The delivery that failed, and others wait for."}
    )
    failing_since = fields.DateTime(required=True, allow_none=True)
    last_success_at = fields.DateTime(required=True, allow_none=True)


class SetWebhookSchema(WebhookSchema):
    """The same, as it is set."""

    secret = fields.String(
        required=True, allow_none=True, metadata={"description": "Of a new hook, this once; null where there was one."}
    )


class WebhookSecretSchema(Schema):
    """A new secret; it is shown this once."""

    secret = fields.String(required=True)


class SecretRotationSchema(Schema):
    """How a secret is replaced."""

    EXAMPLES: ClassVar = {"An hour for the receiver to change": {"overlap_seconds": 3_600}}

    overlap_seconds = Whole(
        0, LONGEST_OVERLAP, load_default=0, metadata={"description": "For how long the old one signs, too."}
    )


class DeliveryQuerySchema(PageQuerySchema):
    """Which deliveries."""

    status = Choice(*STATUSES, named="DeliveryStatus", load_default=None)


class AttemptSchema(Schema):
    """One try: the answer's status, or why there was none."""

    at = fields.DateTime(required=True)
    status_code = fields.Integer(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    milliseconds = fields.Integer(required=True)


class DeliverySchema(Schema):
    """What the receiver was told or is to be told."""

    delivery_id = fields.Integer(required=True, metadata={"description": "The `webhook-id` of each attempt."})
    event = fields.String(required=True)
    sequence = fields.Integer(required=True, allow_none=True, metadata={"description": "Without gaps; null of a test."})
    status = Word("DeliveryStatus", *STATUSES, required=True)
    attempts = fields.List(fields.Nested(AttemptSchema), required=True, metadata={"description": "The latest fifty."})
    next_attempt_at = fields.DateTime(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    payload = fields.Dict(required=True, metadata={"description": "The body that is sent."})


class DeliveryPageSchema(Schema):
    """A page of deliveries, newest first."""

    items = fields.List(fields.Nested(DeliverySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class TestDeliverySchema(Schema):
    """A test that is under way."""

    __test__ = False
    delivery_id = fields.Integer(required=True)
