"""From marshmallow's schemas to JSON Schema, as generators of clients read it best."""

from inspect import cleandoc
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

NAMED = "named"
"""The metadata of a field whose words are a schema of their own, so that a generated client has one type for them."""


class Converter(OpenAPIConverter):
    """apispec's, with descriptions from docstrings, words by their names, and no null in a query."""

    def schema2jsonschema(self, schema: Schema) -> dict[str, Any]:
        """The JSON Schema of an object."""
        description = {"description": " ".join(cleandoc(type(schema).__doc__ or "").split())}
        if others := getattr(schema, "ONE_OF", ()):
            return {**description, "oneOf": [self.resolve_nested_schema(other) for other in others]}  # type: ignore[no-untyped-call]
        described: dict[str, Any] = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        return {**description, **described}

    def field2property(self, field: fields.Field[Any]) -> dict[str, Any]:
        """The JSON Schema of one member; that of named words is a reference."""
        found: dict[str, Any] = super().field2property(field)
        name = field.metadata.get(NAMED)
        if name is None:
            return found
        words = [word for word in found.pop("enum") if word is not None]
        found.pop("type")
        known = self.spec.components.schemas
        if name not in known:
            self.spec.components.schema(name, {"type": "string", "enum": words})
        elif known[name].get("enum") != words:
            raise ValueError(f"{name} has other words elsewhere: {known[name]['enum']}, here {words}")
        reference = {"$ref": f"#/components/schemas/{name}"}
        return {**found, **({"anyOf": [reference, {"type": "null"}]} if field.allow_none else reference)}

    def _field2parameter(self, field: fields.Field[Any], *, name: str, location: str) -> dict[str, Any]:
        """A query cannot say null: a parameter is left out instead."""
        parameter: dict[str, Any] = super()._field2parameter(field, name=name, location=location)
        schema = parameter["schema"]
        if isinstance(schema.get("type"), list):
            (schema["type"],) = set(schema["type"]) - {"null"}
        if schema.get("default", ...) is None:
            del schema["default"]
        if "examples" in schema:
            parameter["example"] = schema["examples"][0]
        return parameter


class ConverterPlugin(MarshmallowPlugin):
    """Lets apispec use it."""

    Converter = Converter
