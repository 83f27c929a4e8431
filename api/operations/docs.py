"""The description of the API: OpenAPI, Swagger UI from files of our own, and the list of error codes."""

from html import escape
from importlib.resources import files
from pathlib import Path

import orjson
from apispec import APISpec
from flask import Flask, Response, abort, request, send_from_directory

from api.http.body import refuse_body
from api.http.errors import status_of
from api.http.problems import Problem
from api.operations.openapi import finish
from engine.terms.codes import MESSAGES
from services.errors import MarketError
from services.matching.journal import BROKEN, UNDERFUNDED

OPENAPI = "/api/v1/openapi.json"
SWAGGER_UI = Path(str(files("flask_swagger_ui") / "dist"))
ASSETS = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
A_DAY = 86_400
"""Seconds that a browser may keep the files; their content changes with a release only."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)
PAGE_HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{name}: REST</title>
<link rel="icon" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
"""

START = f"SwaggerUIBundle({{url: '{OPENAPI}', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null}});\n"

ERRORS_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{name}: error codes</title>
<style>
body {{ font: 1rem/1.5 system-ui; margin: 2rem }}
td, th {{ padding: .25rem 1rem .25rem 0; text-align: left }}
</style>
<h1>Error codes</h1>
<p>The <code>code</code> of a problem (RFC 9457) is stable; its texts are for people.</p>
<table><tr><th>code<th>status<th>meaning
{rows}
</table>
<h2>What the book says</h2>
<p>The <code>reason</code> of a refused amendment, cancel or change of state, and the <code>reject_code</code> of a
rejected order.</p>
<table><tr><th>code<th>meaning
{reasons}
</table>
</html>
"""


NOT_MATCHED = {
    BROKEN: "Matching it failed: it was taken out, what it reserved was released, and the log has the reason.",
    UNDERFUNDED: "Too little was set aside for the amendment; the order is as it was.",
}
"""Why a command was kept from the book: what `NEVER_MATCHED` holds."""


def init_app(app: Flask, spec: APISpec, name: str) -> None:
    """Serve the description of `app`, which is complete by now; anyone may read it."""
    description = orjson.dumps(finish(spec.to_dict()))
    page = PAGE.format(name=escape(name))
    errors = ERRORS_PAGE.format(name=escape(name), rows="\n".join(_rows()), reasons="\n".join(_reasons()))

    @app.before_request
    def refuse_bodies() -> None:
        if request.endpoint in PUBLIC:
            refuse_body(request.environ)

    @app.get(OPENAPI)
    def openapi() -> Response:
        return Response(description, mimetype="application/json", headers={"Cache-Control": "no-cache"})

    @app.get("/docs")
    def swagger_ui() -> Response:
        return Response(page, mimetype="text/html", headers=PAGE_HEADERS)

    @app.get("/docs/start.js")
    def swagger_ui_start() -> Response:
        return Response(START, mimetype="text/javascript", headers=PAGE_HEADERS)

    @app.get("/docs/assets/<string:file>")
    def swagger_ui_asset(file: str) -> Response:
        if file not in ASSETS:
            abort(404)
        return send_from_directory(SWAGGER_UI, file, max_age=A_DAY)

    @app.get("/docs/errors")
    def error_codes() -> Response:
        return Response(errors, mimetype="text/html", headers=PAGE_HEADERS)


PUBLIC = frozenset({"openapi", "swagger_ui", "swagger_ui_start", "swagger_ui_asset", "error_codes"})
"""The endpoints of this file, open to anyone."""


def every_refusal(kind: type[MarketError] = MarketError) -> list[type[MarketError]]:
    """All classes of refusals that have no further kinds below them."""
    kinds = kind.__subclasses__()
    if not kinds:
        return [kind]
    return [leaf for inner in kinds for leaf in every_refusal(inner)]


def refusals_by_code() -> dict[str, type[MarketError]]:
    """Every refusal, by its code."""
    return {kind.code(): kind for kind in every_refusal()}


def meanings_of_reasons() -> dict[str, str]:
    """What the book says, and why a command was kept from it."""
    return {**MESSAGES, **NOT_MATCHED}


def _rows() -> list[str]:
    kinds = sorted(refusals_by_code().items())
    row = '<tr id="{code}"><td><code>{code}</code><td>{status}<td>{meaning}'
    return [row.format(code=code, status=status_of_kind(kind), meaning=escape(kind.message())) for code, kind in kinds]


def _reasons() -> list[str]:
    row = "<tr><td><code>{code}</code><td>{meaning}"
    meanings = sorted(meanings_of_reasons().items())
    return [row.format(code=code, meaning=escape(meaning)) for code, meaning in meanings]


def status_of_kind(kind: type[MarketError]) -> int:
    """The HTTP status of a class of refusals."""
    return kind.status if issubclass(kind, Problem) else status_of(kind())
