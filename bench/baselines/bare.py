"""The ceiling of REST: a Flask endpoint that only reads JSON and answers JSON."""

import orjson
from flask import Flask, Response, request

app = Flask(__name__)


@app.post("/")
def echo() -> Response:
    """Read a body, answer a body as long as that of a placed order."""
    orjson.loads(request.get_data())
    body = {"order_id": 1, "status": "pending", "client_order_id": None}
    return Response(orjson.dumps(body), 201, mimetype="application/json")
