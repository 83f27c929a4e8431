"""A clearing desk for stories: trades to decide about, and people who do."""

import itertools
from typing import Any

from database.session import transaction
from services.clearing.requests import Asker, QueuedBust, ask, confirm, reject
from services.matching.match import Turn
from settings.clearing import Clearing
from tests.services.floor import Floor

names = itertools.count(1)


class Desk:
    """Whatever a story of clearing does goes through here; figures are cents and shares."""

    def __init__(self, floor: Floor, **terms: int) -> None:
        self.floor = floor
        self.terms = Clearing(**terms)

    def person(self, role: str = "clearing") -> int:
        """Somebody who logs in; the id."""
        name = f"person-{next(names)}"
        (row,) = self.floor.query(
            "INSERT INTO users (username, password_hash, role) VALUES (:name, 'x', :role) RETURNING id",
            name=name,
            role=role,
        )
        return int(row.id)

    def trade(self, seller: int, buyer: int, symbol: str, quantity: int, price: int) -> int:
        """A trade of these two; its id."""
        self.floor.ask(seller, symbol, quantity, price)
        self.floor.bid(buyer, symbol, quantity, price)
        assert self.floor.match(symbol).trades == 1
        return self.floor.query("SELECT max(id) AS id FROM trades")[0].id

    def ask(self, trade_id: int, person: int | None = None, **more: Any) -> QueuedBust:
        """Ask for a bust; None as the person is the administrator's key."""
        asker = more.pop("asker", Asker(f"person {person}", person))
        with transaction(self.floor.engine) as session:
            return ask(session, trade_id, "a fat finger", asker, **more)

    def confirm(self, bust_id: int, person: int | None) -> QueuedBust:
        """Confirm it."""
        with transaction(self.floor.engine) as session:
            return confirm(session, bust_id, person, f"person {person}", self.terms.window_seconds)

    def reject(self, bust_id: int, reason: str = "it was meant") -> None:
        """Let the trade stand."""
        with transaction(self.floor.engine) as session:
            reject(session, bust_id, "somebody", reason)

    def turn(self, *symbols: str) -> Turn:
        """One committed turn over these stocks, or all of them."""
        return self.floor.match(*symbols, clearing=self.terms)

    def bust(self, trade_id: int, person: int | None = None, **more: Any) -> str:
        """Ask for a bust and have its turn come; what became of it."""
        queued = self.ask(trade_id, person, **more)
        self.turn()
        return self.status(queued.bust_id)

    def status(self, bust_id: int) -> str:
        """What became of a bust."""
        return str(self.row(bust_id).status)

    def row(self, bust_id: int) -> Any:
        """A bust as it is stored."""
        return self.floor.query("SELECT * FROM busts WHERE id = :id", id=bust_id)[0]

    def owed(self, broker: int, symbol: str | None = None) -> int:
        """Cents, or shares of `symbol`, that a broker owes to the guarantee account."""
        rows = self.floor.query(
            "SELECT owed FROM balances WHERE broker_id = :broker AND asset_id = :asset",
            broker=broker,
            asset=1 if symbol is None else self.floor.symbols[symbol],
        )
        return rows[0].owed if rows else 0

    def last_price(self, symbol: str) -> int | None:
        """The stock's last price."""
        return self.floor.query("SELECT last_price FROM stocks WHERE symbol = :symbol", symbol=symbol)[0].last_price
