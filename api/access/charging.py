"""Charge a request to its broker's bucket, or to that of the address from which it comes without a key."""

from collections.abc import Sequence

from api.components import components
from api.http.calls import present
from api.runtime.callers import ANONYMOUS
from api.runtime.rate_limits import CANCELS, ORDERS, READS
from serving.open_connections import network_of


def bucket_of(rule: str, methods: Sequence[str]) -> str:
    """The bucket that a route takes from: what cancels has its own, so that nobody is kept from cancelling.

    A preview changes nothing: it is read. Closing a position is to trade.
    """
    if rule.endswith("/preview"):
        return READS
    if rule.startswith("/positions"):
        return ORDERS
    if "DELETE" in methods or rule.endswith(("/cancel", "/cancel-after")):
        return CANCELS
    return ORDERS if {"POST", "PUT"} & set(methods) else READS


def charge(bucket: str, cost: int = 1) -> None:
    """Charge the present request, whose answer says what is left. Raises TooManyRequests."""
    call = present()
    caller = call.caller
    if caller.broker_id is not None:
        call.quota = components().limits.charge(bucket, caller.broker_id, cost, is_guest=caller.is_guest)
    elif caller is ANONYMOUS:
        call.quota = components().limits.charge_address(network_of(call.address))
