"""What people of clearing do: take trades back, have them stand at another price, let them stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import cast

from .shapes import Document
from .transport import Transport


class Clearing:
    """Trades that should not have been, for those who decide about them."""

    transport: Transport

    def bust(self, trade_id: int, reason: str, price: int | None = None) -> Document:
        """Take a trade back or, with a `price` (cents), have it stand at that; `status` says what became of it."""
        return self._decide(f"/trades/{trade_id}/bust", _body(reason, price))

    def preview_bust(self, trade_id: int, reason: str, price: int | None = None) -> Document:
        """What that would come to: who owes what, what would be advanced, which orders would go."""
        return self._decide(f"/trades/{trade_id}/bust", {**_body(reason, price), "dry_run": True})

    def bust_range(self, symbol: str, since: datetime, until: datetime, reason: str) -> list[Document]:
        """Take back all trades of a stock from `since` to before `until`."""
        body = {"symbol": symbol, "from": since.isoformat(), "to": until.isoformat(), "reason": reason}
        return cast(list[Document], self._decide("/clearing/bust", body)["busts"])

    def confirm_bust(self, bust_id: int) -> Document:
        """Confirm what another person has asked for."""
        return self._decide(f"/busts/{bust_id}/confirm")

    def reject_bust(self, bust_id: int, reason: str) -> Document:
        """Let the trade of a bust that waits stand."""
        return self._decide(f"/busts/{bust_id}/reject", {"reason": reason})

    def let_stand(self, trade_id: int, reason: str) -> Document:
        """Let a trade stand that breaks a rule."""
        return self._decide(f"/clearing/trades/{trade_id}/stand", {"reason": reason})

    def busts(self, status: str | None = None, symbol: str | None = None) -> Iterator[Document]:
        """What was asked for, newest first."""
        return self.transport.items("/clearing/busts", None, status=status, symbol=symbol)

    def judged_trades(self, verdict: str | None = None, symbol: str | None = None) -> Iterator[Document]:
        """Trades with their verdict, newest first; `verdict`: ok, flagged, busted."""
        return self.transport.items("/clearing/trades", None, verdict=verdict, symbol=symbol)

    def guarantee(self) -> Document:
        """What the guarantee account has advanced, and who owes it."""
        return cast(Document, self.transport.get("/clearing/guarantee"))

    def _decide(self, path: str, body: Document | None = None) -> Document:
        return cast(Document, self.transport.call("POST", path, body).json())


def _body(reason: str, price: int | None) -> Document:
    return {"reason": reason} if price is None else {"reason": reason, "price": price}
