"""The OpenAPI document as a judge: is what was sent, and what was answered, as it says?"""

from __future__ import annotations

import copy
import re
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map
from werkzeug.test import TestResponse

DOCUMENT = "urn:document"
OF_HTTP = {
    *("content-type", "content-length", "cache-control", "content-security-policy"),
    *("x-content-type-options", "x-frame-options", "referrer-policy", "strict-transport-security"),
}
"""Headers that every answer may have and no client of an API reads."""

JUDGES_EACH = {"place_batch"}
"""Operations that answer 200 though a part of what was sent is refused."""

Json = dict[str, Any]


class Description:
    """The document of one application. An answer may have no member that is not described; clients must bear others."""

    def __init__(self, document: Json) -> None:
        self.document = copy.deepcopy(document)
        for schema in self.document["components"]["schemas"].values():
            if "properties" in schema:
                schema.setdefault("additionalProperties", False)
        resource = Resource.from_contents(self.document, default_specification=DRAFT202012)
        self._registry = Registry().with_resource(DOCUMENT, resource)

    def check(self, url_map: Map, answer: TestResponse, sent: Any) -> None:
        """Raises AssertionError unless the answer is as described, and what was `sent` (JSON) if it was accepted."""
        operation = self._operation(url_map, answer.request.path, answer.request.method)
        responses = operation["responses"] if operation else self.document["components"]["responses"]
        status = str(answer.status_code)
        described = responses.get(status) or responses["default" if operation else "Problem"]
        self._check_answer(self._resolved(described), answer)
        if operation and answer.status_code < 400:
            self._check_request(operation, answer, sent)

    def errors(self, schema: Json, value: Any) -> list[str]:
        """What of `value` is not as the schema says."""
        absolute = _absolute(schema)
        validator = Draft202012Validator(
            absolute, registry=self._registry, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]

    def _hold(self, schema: Json, value: Any) -> None:
        found = self.errors(schema, value)
        assert not found, found

    def _operation(self, url_map: Map, path: str, method: str) -> Json | None:
        try:
            rule, _ = url_map.bind("localhost").match(path, method=method, return_rule=True)
        except HTTPException:
            return None
        template = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        item = self.document["paths"].get(template, {})
        return item.get("get" if method == "HEAD" else method.lower())

    def _check_answer(self, described: Json, answer: TestResponse) -> None:
        content = described.get("content", {})
        if not content:
            assert answer.data == b""
        elif answer.request.method != "HEAD":
            assert answer.mimetype in content, answer.mimetype
            sent_as = answer.json if answer.mimetype.endswith("json") else answer.text
            self._hold(content[answer.mimetype]["schema"], sent_as)
        headers = {name.lower(): self._resolved(header) for name, header in described.get("headers", {}).items()}
        sent = {name.lower(): value for name, value in answer.headers}
        assert not sent.keys() - headers.keys() - OF_HTTP, sent.keys() - headers.keys() - OF_HTTP
        for name, header in headers.items():
            assert name in sent or not header.get("required"), name
            if name in sent:
                self._hold(header["schema"], _typed(header["schema"], [sent[name]]))

    def _check_request(self, operation: Json, answer: TestResponse, sent: Any) -> None:
        if "requestBody" in operation and sent is not None and operation["operationId"] not in JUDGES_EACH:
            self._hold(operation["requestBody"]["content"]["application/json"]["schema"], sent)
        queries = {one["name"]: one["schema"] for one in operation.get("parameters", []) if one["in"] == "query"}
        for name, values in answer.request.args.lists():
            if operation["security"]:
                assert name in queries
                self._hold(queries[name], _typed(queries[name], values))

    def _resolved(self, node: Json) -> Json:
        if "$ref" not in node:
            return node
        room, _, name = node["$ref"].removeprefix("#/components/").partition("/")
        return self.document["components"][room][name]


def _typed(schema: Json, values: list[str]) -> Any:
    """Texts of a query or a header as what the schema says they stand for."""
    if schema.get("type") == "array":
        return values
    (value,) = values
    read = {"integer": int, "boolean": {"true": True, "false": False}.__getitem__}.get(str(schema.get("type")), str)
    return read(value)


def _absolute(node: Any) -> Any:
    """A part of the document by itself, with references that lead back into it."""
    if isinstance(node, list):
        return [_absolute(one) for one in node]
    if isinstance(node, dict):
        return {name: f"{DOCUMENT}{value}" if name == "$ref" else _absolute(value) for name, value in node.items()}
    return node
