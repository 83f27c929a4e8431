"""What people, and their being logged in, look like."""

import re
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields

from api.http.fields import Choice, Flag, Strict, Text, Whole, Word
from api.http.paths import LARGEST_ID
from services.identity.people.passwords import LONGEST, SHORTEST
from services.identity.people.roles import ROLES
from services.identity.people.usernames import USERNAME, USERNAME_RULE
from services.identity.scopes import SCOPES


class Username(Strict, fields.String):
    """A public handle in any case; in lower case once read."""

    def __init__(self, **options: Any) -> None:
        metadata = {"pattern": f"^{USERNAME}$", "examples": ["ana"], **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if type(value) is not str or not re.fullmatch(USERNAME, value, re.ASCII):
            raise ValidationError(USERNAME_RULE)
        return value.lower()


class Password(Strict, fields.String):
    """A password of any characters; only how many there are is looked at here."""

    def __init__(self, shortest: int = SHORTEST, **options: Any) -> None:
        self.shortest = shortest
        sizes = {"format": "password", "minLength": shortest, "maxLength": LONGEST}
        super().__init__(metadata={**sizes, **options.pop("metadata", {})}, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if type(value) is not str or not self.shortest <= len(value) <= LONGEST:
            raise ValidationError(f"Must have {self.shortest} to {LONGEST} characters.")
        return value


class SignUpSchema(Schema):
    """Who wants to come in."""

    EXAMPLES: ClassVar = {"A person": {"username": "davi", "password": "two mules and a mountain"}}

    username = Username(required=True, metadata={"description": "A public handle, kept in lower case."})
    password = Password(required=True, metadata={"description": "Not one that is guessed soon."})


class SignedUpSchema(Schema):
    """A person who has come in, and the broker that was made for it."""

    user_id = fields.Integer(required=True)
    username = fields.String(required=True)
    role = fields.String(required=True)
    broker_id = fields.Integer(required=True)


class CredentialsSchema(Schema):
    """Who logs in."""

    EXAMPLES: ClassVar = {"A person": {"username": "ana", "password": "nine tall ships at anchor"}}

    username = Text(1, 128, required=True)
    password = Password(1, required=True)


class MeSchema(Schema):
    """Who is calling: a person, or (without `user_id` and `username`) a key."""

    user_id = fields.Integer(required=True, allow_none=True)
    username = fields.String(required=True, allow_none=True)
    role = Word("Role", *ROLES, required=True, allow_none=True, metadata={"description": "Of a broker's key null."})
    broker_id = fields.Integer(required=True, allow_none=True)
    broker_name = fields.String(required=True, allow_none=True)
    scopes = fields.List(Word("Scope", *SCOPES), required=True)


class TokensSchema(Schema):
    """What a person is logged in with; the refresh token is in the cookie `minex_refresh` alone."""

    access_token = fields.String(required=True)
    token_type = fields.String(required=True)
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds."})
    csrf_token = fields.String(
        required=True, metadata={"description": "For the header X-CSRF-Token of a refresh and of logging out."}
    )
    user = fields.Nested(MeSchema, required=True)


class NewPasswordSchema(Schema):
    """Another password."""

    EXAMPLES: ClassVar = {
        "Another": {"current_password": "nine tall ships at anchor", "new_password": "a lamp beside the window"}
    }

    current_password = Password(1, required=True)
    new_password = Password(required=True)


class SessionSchema(Schema):
    """Where a person is logged in."""

    session_id = fields.Integer(required=True)
    created_at = fields.DateTime(required=True)
    last_used_at = fields.DateTime(required=True, metadata={"description": "When it was refreshed."})
    address = fields.String(required=True)
    user_agent = fields.String(required=True)
    current = fields.Boolean(required=True, metadata={"description": "Whether it is that of this request."})


class SessionPageSchema(Schema):
    """A page of sessions, newest first."""

    items = fields.List(fields.Nested(SessionSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class NewUserSchema(Schema):
    """A person whom an administrator lets in."""

    EXAMPLES: ClassVar = {
        "A trader": {"username": "bia", "password": "four chairs and a drum", "role": "trader", "broker_id": 1},
        "An operator": {"username": "caio", "password": "rain upon a tin roof", "role": "operator"},
    }

    username = Username(required=True)
    password = Password(required=True)
    role = Choice(*ROLES, named="Role", required=True)
    broker_id = Whole(
        1, LARGEST_ID, allow_none=True, load_default=None, metadata={"description": "Needed for a trader."}
    )


class UserChangeSchema(Schema):
    """What is to be another way; what is left out stays."""

    EXAMPLES: ClassVar = {"Keep out": {"active": False}, "Another role": {"role": "operator"}}

    role = Choice(*ROLES, named="Role")
    broker_id = Whole(1, LARGEST_ID, allow_none=True)
    active = Flag(metadata={"description": "Whoever is not active is logged out, and not let in."})
    password = Password(metadata={"description": "For who has forgotten his own; logs him out everywhere."})


class UserSchema(Schema):
    """A person."""

    user_id = fields.Integer(required=True)
    username = fields.String(required=True)
    role = Word("Role", *ROLES, required=True)
    broker_id = fields.Integer(required=True, allow_none=True)
    active = fields.Boolean(required=True)
    created_at = fields.DateTime(required=True)


class UserPageSchema(Schema):
    """A page of people, newest first."""

    items = fields.List(fields.Nested(UserSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
