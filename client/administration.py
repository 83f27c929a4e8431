"""What administrators and operators do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from .shapes import Document
from .transport import Transport


class Administration:
    """Brokers, stocks and people, for whoever runs the exchange."""

    transport: Transport

    def register(self, name: str, **more: Any) -> Document:
        """A new broker: {broker_id, api_key, webhook_secret}, shown this once.

        `more`: `cash`, `positions`, `credit_limit`, `short_limit`, `webhook_url`.
        """
        return self._post("/register", {"name": name, **more})

    def brokers(self) -> Iterator[Document]:
        """All brokers, newest first."""
        return self.transport.items("/brokers")

    def broker(self, broker_id: int) -> Document:
        """One broker."""
        return cast(Document, self.transport.get(f"/brokers/{broker_id}"))

    def change_broker(self, broker_id: int, **changes: Any) -> Document:
        """Change `name`, `credit_limit`, `short_limit`."""
        return cast(Document, self.transport.call("PUT", f"/brokers/{broker_id}", changes).json())

    def change_fees(self, broker_id: int, **changes: int | None) -> Document:
        """Give a broker `maker_bps` and `taker_bps` of its own; None for those of its tier."""
        return cast(Document, self.transport.call("PUT", f"/brokers/{broker_id}/fees", changes).json())

    def suspend(self, broker_id: int) -> Document:
        """Stop a broker, and cancel all its orders."""
        return self._post(f"/brokers/{broker_id}/suspend", repeatable=True)

    def activate(self, broker_id: int) -> Document:
        """Let it trade again."""
        return self._post(f"/brokers/{broker_id}/activate", repeatable=True)

    def replace_keys(self, broker_id: int) -> Document:
        """End all keys of a broker, and make it a new one."""
        return self._post(f"/brokers/{broker_id}/rotate-key")

    def cancel_orders_of(self, broker_id: int, symbol: str | None = None, side: str | None = None) -> int:
        """Cancel a broker's orders; how many these are."""
        query = {"symbol": symbol, "side": side}
        return int(self.transport.call("DELETE", f"/brokers/{broker_id}/orders", query=query).json()["cancelled"])

    def deposit(self, broker_id: int, reference: str, **what: Any) -> Document:
        """Bring `cash` and `positions` in, once for each `reference`."""
        return self._post(f"/brokers/{broker_id}/deposit", {"reference": reference, **what}, repeatable=True)

    def withdraw(self, broker_id: int, reference: str, **what: Any) -> Document:
        """Take `cash` and `positions` out, once for each `reference`."""
        return self._post(f"/brokers/{broker_id}/withdraw", {"reference": reference, **what}, repeatable=True)

    def list_stock(self, symbol: str, **rules: Any) -> Document:
        """List a stock; `rules`: `name`, `reference_price`, `tick_size`, `lot_size`, `band_bps`, `group`, `market` …"""
        return self._post("/stocks", {"symbol": symbol, **rules})

    def delist_stock(self, symbol: str) -> Document:
        """Cancel all its orders, and close it for good."""
        return cast(Document, self.transport.call("DELETE", f"/stocks/{symbol}").json())

    def change_state(self, symbol: str, state: str, reason: str | None = None) -> Document:
        """Halt, resume, or begin an auction."""
        return self._post(f"/stocks/{symbol}/state", {"state": state, "reason": reason}, repeatable=True)

    def uncross(self, symbol: str) -> Document:
        """End an auction."""
        return self._post(f"/stocks/{symbol}/uncross")

    def roll(self, symbol: str) -> Document:
        """Begin a new session: DAY orders end, the last price becomes the reference."""
        return self._post(f"/stocks/{symbol}/roll")

    def users(self) -> Iterator[Document]:
        """All people."""
        return self.transport.items("/users")

    def let_in(self, username: str, password: str, role: str, broker_id: int | None = None) -> Document:
        """Let a person in; a trader for a broker."""
        body = {"username": username, "password": password, "role": role, "broker_id": broker_id}
        return self._post("/users", body)

    def change_user(self, user_id: int, **changes: Any) -> Document:
        """Change `role`, `broker_id`, `active`, `password`."""
        return cast(Document, self.transport.call("PUT", f"/users/{user_id}", changes).json())

    def audit_log(self, limit: int | None = None, **more: Any) -> Iterator[Document]:
        """Who did what; `more`: `action`, `target`, `actor`."""
        return self.transport.items("/audit", limit, **more)

    def _post(self, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = False) -> Document:
        return cast(Document, self.transport.call("POST", path, body, repeatable=repeatable).json())
