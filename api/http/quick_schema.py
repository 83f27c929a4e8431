"""The short way through a schema, for bodies with nothing wrong.

Each value goes through its own field, as marshmallow would have it; left out is all that marshmallow does to gather
what is wrong. Wherever something is, there is no short way, and marshmallow names every field at fault.
"""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError

from api.http.fields import Strict


class _NotQuick:
    """Stands for what the short way cannot make."""


NOT_QUICK: Final = _NotQuick()


class QuickSchema(Schema):
    """A schema of Strict fields, whose `together` does after them what its hooks do for marshmallow."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        fields = {field.data_key or name: (name, field) for name, field in self.fields.items()}
        self._quick = {key: (name, field._deserialize, field.allow_none) for key, (name, field) in fields.items()}
        self._required = {key for key, (_, field) in fields.items() if field.required}
        self._defaults = {name: field.load_default for name, field in fields.values() if not field.required}
        for name, field in fields.values():
            if not isinstance(field, Strict) or field.validators or callable(field.load_default):
                raise TypeError(f"{name}: marshmallow does more with it than its field does by itself")

    def together(self, values: dict[str, Any]) -> Any:
        """What is loaded of these values, each of which is right by itself. Raises ValidationError."""
        raise NotImplementedError

    def quickly(self, document: dict[str, Any]) -> Any:
        """What `load` would make of it; NOT_QUICK where that may be an error."""
        if not self._required <= document.keys():
            return NOT_QUICK
        values = {**self._defaults}
        try:
            for key, value in document.items():
                found = self._quick.get(key)
                if found is None:
                    return NOT_QUICK
                name, deserialized, allows_none = found
                if value is not None:
                    values[name] = deserialized(value, name, document)
                elif allows_none:
                    values[name] = None
                else:
                    return NOT_QUICK
            return self.together(values)
        except ValidationError:
            return NOT_QUICK
