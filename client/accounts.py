"""What is one's own besides orders: cash, positions, fills, statements, keys, the webhook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from .orders import renamed
from .shapes import AccountEvent, Balance, Document, Fill
from .transport import Transport


class Accounts:
    """One's own account."""

    transport: Transport

    def me(self) -> Document:
        """Who one is, and what one may do."""
        return cast(Document, self.transport.get("/me"))

    def balance(self) -> Balance:
        """One's cash."""
        return cast(Balance, self.transport.get("/balance"))

    def portfolio(self) -> Document:
        """One's cash and `positions`, with what they cost and are worth."""
        return cast(Document, self.transport.get("/portfolio"))

    def equity_history(self, interval: str = "1h", **more: Any) -> Document:
        """What the account was worth; `more`: `from_`, `to`."""
        return cast(Document, self.transport.get("/portfolio/history", interval=interval, **renamed(more)))

    def fills(self, limit: int | None = None, **more: Any) -> Iterator[Fill]:
        """One's fills, newest first; with `after` (an account_sequence) those behind it, oldest first.

        `more`: `after`, `symbol`, `side`, `order_id`, `from_`, `to`.
        """
        return self.transport.items("/trades", limit, **renamed(more))

    def explain(self, trade_id: int) -> Document:
        """How a fill of one's own came about: `checks`, `levels`, `price_rule`, `transfers`, the book before and after.

        Raises Refused: `unknown_trade`, or `not_your_trade`.
        """
        return cast(Document, self.transport.get(f"/trades/{trade_id}/explain"))

    def statement(self, limit: int | None = None, **more: Any) -> Iterator[Document]:
        """The lines of one's account, oldest first; `more`: `asset` (a symbol, or cash), `kind`, `from_`, `to`."""
        return self.transport.items("/transfers", limit, **renamed(more))

    def fees(self) -> Document:
        """What new orders pay, in basis points."""
        return cast(Document, self.transport.get("/fees"))

    def account_events(self, after: int = 0, epoch: str | None = None) -> Iterator[AccountEvent]:
        """All that happened to one's orders behind the number `after`, oldest first. Raises Refused `start_anew`."""
        while True:
            page = self.transport.get("/account/events", after=after, epoch=epoch, limit=500)
            yield from page["items"]
            if not page["items"]:
                return
            after, epoch = page["next_after"], page["epoch"]

    def api_keys(self) -> Iterator[Document]:
        """One's keys, newest first, without what they could be used with."""
        return self.transport.items("/api-keys")

    def make_api_key(self, name: str, scopes: Sequence[str], **more: Any) -> Document:
        """A new key, shown this once as `api_key`; `more`: `expires_at`, `allowed_addresses`."""
        body = {"name": name, "scopes": list(scopes), **more}
        return cast(Document, self.transport.call("POST", "/api-keys", body).json())

    def rotate_api_key(self, key_id: int, overlap_seconds: int = 0) -> Document:
        """Replace a key; the old one is good for `overlap_seconds` more."""
        body = {"overlap_seconds": overlap_seconds}
        return cast(Document, self.transport.call("POST", f"/api-keys/{key_id}/rotate", body).json())

    def revoke_api_key(self, key_id: int) -> None:
        """End a key."""
        self.transport.call("DELETE", f"/api-keys/{key_id}")

    def webhook(self) -> Document:
        """Where one is told of one's trades, and how the receiver fares."""
        return cast(Document, self.transport.get("/webhook"))

    def set_webhook(self, url: str, **more: Any) -> Document:
        """Be told at `url`; the `secret` of a new hook is shown this once. `more`: `events`, `enabled`."""
        return cast(Document, self.transport.call("PUT", "/webhook", {"url": url, **more}, repeatable=False).json())

    def delete_webhook(self) -> None:
        """Be told no more."""
        self.transport.call("DELETE", "/webhook")

    def rotate_webhook_secret(self, overlap_seconds: int = 0) -> str:
        """A new secret; for `overlap_seconds` the old one signs, too."""
        body = {"overlap_seconds": overlap_seconds}
        return str(self.transport.call("POST", "/webhook/rotate-secret", body).json()["secret"])

    def test_webhook(self) -> int:
        """Have a test sent; the id of its delivery."""
        return int(self.transport.call("POST", "/webhook/test").json()["delivery_id"])

    def deliveries(self, limit: int | None = None, status: str | None = None) -> Iterator[Document]:
        """What one's receiver was told, newest first."""
        return self.transport.items("/webhook/deliveries", limit, status=status)

    def delivery(self, delivery_id: int) -> Document:
        """One of them."""
        return cast(Document, self.transport.get(f"/webhook/deliveries/{delivery_id}"))

    def retry_delivery(self, delivery_id: int) -> Document:
        """Have it sent again."""
        path = f"/webhook/deliveries/{delivery_id}/retry"
        return cast(Document, self.transport.call("POST", path, repeatable=True).json())
