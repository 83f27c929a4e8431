"""What a problem looks like (RFC 9457)."""

from marshmallow import INCLUDE, Schema, fields


class RefusalSchema(Schema):
    """Why something was refused. `code` is stable; more members may explain it."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True)


class ProblemSchema(RefusalSchema):
    """RFC 9457: what was refused and why. `code` is stable; more members may explain it."""

    request_id = fields.String(required=True)
