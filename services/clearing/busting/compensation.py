"""What a bust moves, and who advances what its debtor has no more.

A bust gives back what the trade brought: the seller the money, the buyer the shares, the exchange its fees. An
adjustment gives the difference of the two prices to whom the new one is better for. The counterparty gets all of it at
once: what the debtor cannot give is advanced by the guarantee account, to which the debtor owes it from then on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from models import CASH
from services.settlement.ledger import Account

BUST: Final = "bust"
ADJUSTMENT: Final = "adjustment"
FEE_REFUND: Final = "fee_refund"
ADVANCE: Final = "advance"

COUNTED: Final = (BUST, ADJUSTMENT, FEE_REFUND)
"""The kinds of transfers that take back what trades brought: they count as trades do."""


@dataclass(slots=True)
class Holding:
    """An account as it is: cents or shares. It may give what is available and what its limit lends it."""

    available: int
    credit_limit: int
    owed: int = 0
    traded: int = 0

    @property
    def headroom(self) -> int:
        """What it can give now."""
        return max(0, self.available + self.credit_limit)


@dataclass(frozen=True, slots=True)
class Correction:
    """A trade that is taken back or, with a `new_price` (cents), stands at that; its fees in cents."""

    trade_id: int
    stock_id: int
    buyer: int
    seller: int
    price: int
    quantity: int
    buyer_fee: int
    seller_fee: int
    fee_account: int
    new_price: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """So much that one broker has to give another: cents, or shares of a stock."""

    kind: str
    asset_id: int
    amount: int
    debtor: int
    creditor: int


@dataclass(frozen=True, slots=True)
class Given:
    """A transfer that follows from a correction; an advance is from the guarantee account to `to_broker`."""

    kind: str
    asset_id: int
    amount: int
    from_broker: int | None
    to_broker: int
    trade_id: int


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A debtor that could not give all of it: cents or shares. What it lacks is what is advanced."""

    broker_id: int
    asset_id: int
    owed: int
    taken_available: int

    @property
    def missing(self) -> int:
        """What the guarantee account advances."""
        return self.owed - self.taken_available


@dataclass(slots=True)
class Compensation:
    """What one correction moves, in order, and what its debtors lacked."""

    given: list[Given] = field(default_factory=list)
    shortfalls: list[Shortfall] = field(default_factory=list)


def claims_of(correction: Correction) -> Iterator[Claim]:
    """Who has to give what to whom; nothing where that is the same broker. Fees first: they help to pay."""
    for claim in _claims_of(correction):
        if claim.amount and claim.debtor != claim.creditor:
            yield claim


def _claims_of(correction: Correction) -> Iterator[Claim]:
    buyer, seller, quantity = correction.buyer, correction.seller, correction.quantity
    if correction.new_price is not None:
        more = (correction.new_price - correction.price) * quantity
        debtor, creditor = (buyer, seller) if more > 0 else (seller, buyer)
        yield Claim(ADJUSTMENT, CASH, abs(more), debtor, creditor)
        return
    yield Claim(FEE_REFUND, CASH, correction.buyer_fee, correction.fee_account, buyer)
    yield Claim(FEE_REFUND, CASH, correction.seller_fee, correction.fee_account, seller)
    yield Claim(BUST, CASH, correction.price * quantity, seller, buyer)
    yield Claim(BUST, correction.stock_id, quantity, buyer, seller)


class Accounts:
    """The accounts that corrections change, as they stand after each of them."""

    def __init__(self, holdings: Mapping[Account, Holding] | None = None) -> None:
        """`holdings` are those of all parties, which nobody else changes meanwhile."""
        self.holdings = dict(holdings or {})

    def after(self, correction: Correction) -> tuple[Compensation, dict[Account, Holding]]:
        """What the correction would move, and the accounts that it changes, as they would be then."""
        changed: dict[Account, Holding] = {}
        compensation = Compensation()
        for claim in claims_of(correction):
            self._settle(claim, correction.trade_id, changed, compensation)
        return compensation, changed

    def take(self, changed: Mapping[Account, Holding]) -> None:
        """Have it so."""
        self.holdings.update(changed)

    def _settle(self, claim: Claim, trade_id: int, changed: dict[Account, Holding], compensation: Compensation) -> None:
        debtor = self._changing((claim.debtor, claim.asset_id), changed)
        creditor = self._changing((claim.creditor, claim.asset_id), changed)
        advanced = max(0, claim.amount - debtor.headroom)
        if advanced:
            debtor.available += advanced
            debtor.owed += advanced
            compensation.given.append(Given(ADVANCE, claim.asset_id, advanced, None, claim.debtor, trade_id))
            taken = claim.amount - advanced
            compensation.shortfalls.append(Shortfall(claim.debtor, claim.asset_id, claim.amount, taken))
        debtor.available -= claim.amount
        debtor.traded -= claim.amount
        creditor.available += claim.amount
        creditor.traded += claim.amount
        compensation.given.append(
            Given(claim.kind, claim.asset_id, claim.amount, claim.debtor, claim.creditor, trade_id)
        )

    def _changing(self, account: Account, changed: dict[Account, Holding]) -> Holding:
        holding = changed.get(account)
        if holding is None:
            holding = changed[account] = replace(self.holdings[account])
        return holding
