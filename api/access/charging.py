"""Charge a request to its broker's bucket, and tell what is left with the answer."""

from collections.abc import Sequence

from flask import Flask, Response, g

from api.access.auth import caller
from api.components import components
from api.runtime.rate_limits import CANCELS, ORDERS, READS


def bucket_of(rule: str, methods: Sequence[str]) -> str:
    """The bucket that a route takes from: what cancels has its own, so that nobody is kept from cancelling."""
    if "DELETE" in methods or rule.endswith(("/cancel", "/cancel-after")):
        return CANCELS
    return ORDERS if {"POST", "PUT"} & set(methods) else READS


def charge(bucket: str, cost: int = 1) -> None:
    """Charge the present request. Raises TooManyRequests."""
    broker_id = caller().broker_id
    if broker_id is not None:
        g.bucket_left = components().limits.charge(bucket, broker_id, cost)


def init_app(app: Flask) -> None:
    """Let every answer that was charged say what is left."""
    app.after_request(_tell)


def _tell(response: Response) -> Response:
    left = g.get("bucket_left")
    if left is not None:
        response.headers.extend(left.headers())
    return response
