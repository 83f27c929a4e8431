"""What a broker of the simulator has, and what each of its traders has bought, as events tell it."""

from __future__ import annotations

from typing import Any, Final

SCALE: Final = 20_000
"""Shares more or fewer than at the beginning with which somebody leans against more of them as much as he can."""


class Holdings:
    """A mirror for a `Follower`; it knows no more of before than `begin` tells."""

    is_ready: Final = True

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._now: dict[str, int] = {}
        self._bought: dict[tuple[str, str], int] = {}

    def begin(self, positions: dict[str, int]) -> None:
        """It has these shares by symbol, and that is as it should be."""
        self._first, self._now = dict(positions), dict(positions)

    def lean(self, symbol: str) -> float:
        """From -1, where it has far fewer shares than at the beginning, to 1, where it has far more."""
        more = self._now.get(symbol, 0) - self._first.get(symbol, 0)
        return min(max(more / SCALE, -1.0), 1.0)

    def bought(self, symbol: str) -> dict[str, int]:
        """Shares, by trader; below 0 those that were sold."""
        return {trader: shares for (stock, trader), shares in self._bought.items() if stock == symbol}

    def take(self, name: str, payload: dict[str, Any]) -> None:
        """Heed one event."""
        if name == "PORTFOLIO_UPDATED":
            for balance in payload["balances"]:
                if balance["asset"] == "stock":
                    self._now[balance["symbol"]] = balance["available"] + balance["reserved"]
        elif name == "ORDER_FILLED" or (name == "TRADE_BUSTED" and "account_sequence" in payload):
            parts = str(payload.get("client_order_id") or "").split(".")
            if len(parts) == 3:
                key = payload["symbol"], parts[1]
                sign = 1 if (payload["side"] == "bid") == (name == "ORDER_FILLED") else -1
                self._bought[key] = self._bought.get(key, 0) + sign * payload["quantity"]

    def forget(self) -> None:
        """What was known stays the best that is known."""
