"""The ceiling of REST: a Flask endpoint that only reads JSON and answers JSON."""

import orjson
from flask import Flask, Response, request

app = Flask(__name__)


@app.get("/<path:_>")
@app.delete("/<path:_>")
@app.post("/<path:_>")
def anything(_: str) -> Response:
    """The same, whatever the exchange would be asked."""
    return echo()


@app.post("/")
def echo() -> Response:
    """Read a body, answer a body as long as that of a placed order."""
    if body := request.get_data():
        orjson.loads(body)
    answer = {"order_id": 1, "status": "pending", "client_order_id": None}
    return Response(orjson.dumps(answer), 201, mimetype="application/json")
