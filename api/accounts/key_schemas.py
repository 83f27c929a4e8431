"""What API keys look like."""

from ipaddress import IPv4Network, IPv6Network
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validate

from api.http.fields import Choice, Instant, Strict, Text, Whole, Word
from services.identity.networks import network_of_text
from services.identity.scopes import SCOPES

MOST_NETWORKS = 50
NETWORK_RULE = "Must be an address, or a network such as 192.0.2.0/24."
LONGEST_OVERLAP = 30 * 86_400
"""Seconds."""


class Scopes(Strict, fields.List[Any]):
    """One or more scopes, each once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Choice(*SCOPES, named="Scope"), validate=validate.Length(min=1), **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        scopes = super()._deserialize(value, attr, data, **kwargs)
        if len(set(scopes)) < len(scopes):
            raise ValidationError("A scope is given more than once.")
        return scopes


class NetworkField(Strict):
    """An address, or a network in CIDR notation."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"type": "string", "examples": ["192.0.2.0/24"]}, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> IPv4Network | IPv6Network:
        if type(value) is not str or "%" in value:
            raise ValidationError(NETWORK_RULE)
        try:
            return network_of_text(value)
        except ValueError as error:
            raise ValidationError(NETWORK_RULE) from error


class NewKeySchema(Schema):
    """A key to be made."""

    EXAMPLES: ClassVar = {
        "For a trading program": {"name": "Bot", "scopes": ["read", "trade", "cancel"]},
        "To look, from one place": {"name": "Screen", "scopes": ["read"], "allowed_addresses": ["192.0.2.0/24"]},
    }

    name = Text(1, 100, required=True, metadata={"description": "For people; names may repeat."})
    scopes = Scopes(required=True, metadata={"description": "What it may do. None implies another."})
    expires_at = Instant(
        allow_none=True, load_default=None, metadata={"description": "When it ends; left out, as late as one's own."}
    )
    allowed_addresses = fields.List(
        NetworkField(),
        allow_none=True,
        load_default=None,
        validate=validate.Length(1, MOST_NETWORKS),
        metadata={"description": "From where alone it may be used; left out, from wherever one's own may."},
    )


class RotationSchema(Schema):
    """How a key is replaced."""

    EXAMPLES: ClassVar = {"An hour for all programs to change": {"overlap_seconds": 3_600}}

    overlap_seconds = Whole(
        0, LONGEST_OVERLAP, load_default=0, metadata={"description": "For how long the old one is still good."}
    )


class KeySchema(Schema):
    """A key as it is listed: nothing with which it could be used."""

    key_id = fields.Integer(required=True)
    prefix = fields.String(required=True, metadata={"description": "How the key begins."})
    name = fields.String(required=True)
    scopes = fields.List(Word("Scope", *SCOPES), required=True)
    expires_at = fields.DateTime(required=True, allow_none=True)
    allowed_addresses = fields.List(fields.String(), required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    last_used_at = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "Over REST, to half a minute."}
    )
    revoked_at = fields.DateTime(required=True, allow_none=True)


class MadeKeySchema(KeySchema):
    """A new key; `api_key` is shown this once."""

    api_key = fields.String(required=True)


class NewBrokersKeySchema(MadeKeySchema):
    """The only key that a broker has from now on; `api_key` is shown this once."""

    broker_id = fields.Integer(required=True)


class KeyPageSchema(Schema):
    """A page of keys, newest first."""

    items = fields.List(fields.Nested(KeySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
