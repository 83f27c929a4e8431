"""What both peers have in common: the part of our REST that the mixed load uses, in FastAPI.

They are written as one would write them who wants a small exchange in Python and has read how: asynchronous, a pool of
prepared statements, uvloop. They know a broker by its key and check an order; they do not reserve. What they promise
differs, and that is what they are for: `durable_peer` answers when the order is stored and matched, `memory_peer` at
once.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

MARKET: Final = "PEER_MARKET"
"""The variable that names the file with the market: {database, symbols, keys}."""

LEVELS: Final = 10
LATEST: Final = 10
CASH: Final = 10**12
"""Cents that every broker begins with."""


class NewOrder(BaseModel):
    """An order to buy or sell so many shares at so many cents or better."""

    model_config = ConfigDict(extra="forbid", strict=True)

    document_number: str
    side: Literal["bid", "ask"]
    symbol: str
    quantity: Annotated[int, Field(gt=0, le=10**9)]
    price: Annotated[int, Field(gt=0, le=10**9)]


class Exchange(Protocol):
    """What a peer does with it."""

    async def place(self, broker: int, order: NewOrder) -> int: ...
    async def cancel(self, broker: int, order_id: int) -> bool: ...
    async def book(self, symbol: str) -> dict[str, Any]: ...
    async def price(self, symbol: str) -> dict[str, Any]: ...
    async def order(self, broker: int, order_id: int) -> dict[str, Any] | None: ...
    async def balance(self, broker: int) -> dict[str, Any]: ...


def market() -> dict[str, Any]:
    """The market that this process serves."""
    found: dict[str, Any] = json.loads(Path(os.environ[MARKET]).read_text(encoding="utf-8"))
    return found


Caller = Callable[[Request], int]
Listed = Callable[[str], str]


def application_of(exchange: Exchange, given: dict[str, Any], lifespan: Callable[[FastAPI], Any]) -> FastAPI:
    """The routes of the mixed load, for this exchange and its market."""
    app = FastAPI(lifespan=lifespan)
    holders = {f"Bearer {key}": number for number, key in enumerate(given["keys"], 1)}
    symbols = frozenset(given["symbols"])

    def caller(request: Request) -> int:
        holder = holders.get(request.headers.get("authorization", ""))
        if holder is None:
            raise HTTPException(401)
        return holder

    def listed(symbol: str) -> str:
        if symbol not in symbols:
            raise HTTPException(404)
        return symbol

    _order_routes(app, exchange, caller, listed)
    _read_routes(app, exchange, caller, listed)
    return app


def _order_routes(app: FastAPI, exchange: Exchange, caller: Caller, listed: Listed) -> None:
    @app.post("/api/v1/orders", status_code=201)
    async def place(order: NewOrder, owner: Annotated[int, Depends(caller)]) -> dict[str, Any]:
        listed(order.symbol)
        return {"order_id": await exchange.place(owner, order), "status": "accepted"}

    @app.delete("/api/v1/orders/{order_id}", status_code=204)
    async def cancel(order_id: int, owner: Annotated[int, Depends(caller)]) -> Response:
        if not await exchange.cancel(owner, order_id):
            raise HTTPException(404)
        return Response(status_code=204)

    @app.get("/api/v1/orders/{order_id}")
    async def order(order_id: int, owner: Annotated[int, Depends(caller)]) -> dict[str, Any]:
        found = await exchange.order(owner, order_id)
        if found is None:
            raise HTTPException(404)
        return found


def _read_routes(app: FastAPI, exchange: Exchange, caller: Caller, listed: Listed) -> None:
    @app.get("/api/v1/stocks/{symbol}/book", dependencies=[Depends(caller)])
    async def book(symbol: Annotated[str, Depends(listed)]) -> dict[str, Any]:
        return await exchange.book(symbol)

    @app.get("/api/v1/stocks/{symbol}/price", dependencies=[Depends(caller)])
    async def price(symbol: Annotated[str, Depends(listed)]) -> dict[str, Any]:
        return await exchange.price(symbol)

    @app.get("/api/v1/balance")
    async def balance(owner: Annotated[int, Depends(caller)]) -> dict[str, Any]:
        return await exchange.balance(owner)
