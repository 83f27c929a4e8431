"""Which fees a broker's orders come to have: its own, else those of the tier that its turnover has reached.

Where they stand in the settings they are those of each process; what they follow from is the broker's row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.errors import UnknownBroker
from services.prices import STANDING_PRICE, whole_number
from services.settlement.fees import FeeRates
from settings.sections import Fees

COLUMNS: Final = "maker_bps, taker_bps, turnover_30d, fee_version"
"""What FeeTerms are made from, of a row of `brokers`."""

OF_BROKERS = text(f"SELECT id, {COLUMNS} FROM brokers WHERE id = ANY(:ids)")  # noqa: S608 - names of this file
LOCKED = text(f"SELECT {COLUMNS} FROM brokers WHERE id = :broker_id AND id > 0 FOR NO KEY UPDATE")  # noqa: S608
SET = text("""
    UPDATE brokers SET maker_bps = :maker_bps, taker_bps = :taker_bps, fee_version = fee_version + 1
    WHERE id = :broker_id RETURNING fee_version
""")
TELL_ACCOUNT = text("""
    UPDATE balances SET fee_version = :version WHERE broker_id = :broker_id AND asset_id = 1
""")

COUNT_TURNOVER = text(f"""
    WITH traded AS (
        SELECT broker_id, sum(notional) AS turnover FROM (
            SELECT buyer_id AS broker_id, CAST({STANDING_PRICE} AS numeric) * quantity AS notional FROM trades t
            WHERE busted_at IS NULL AND executed_at >= CAST(:now AS timestamptz) - interval '30 days'
            UNION ALL
            SELECT seller_id, CAST({STANDING_PRICE} AS numeric) * quantity FROM trades t
            WHERE busted_at IS NULL AND executed_at >= CAST(:now AS timestamptz) - interval '30 days'
        ) sides GROUP BY broker_id
    ), changed AS MATERIALIZED (
        SELECT k.id, coalesce(t.turnover, 0) AS turnover FROM brokers k LEFT JOIN traded t ON t.broker_id = k.id
        WHERE k.id > 0 AND k.turnover_30d <> coalesce(t.turnover, 0) ORDER BY k.id FOR NO KEY UPDATE OF k
    ), turned AS (
        UPDATE brokers k SET turnover_30d = c.turnover, fee_version = k.fee_version + 1 FROM changed c
        WHERE k.id = c.id RETURNING k.id, k.fee_version
    ), locked AS MATERIALIZED (
        SELECT b.broker_id, t.fee_version FROM balances b JOIN turned t ON t.id = b.broker_id AND b.asset_id = 1
        ORDER BY b.broker_id FOR NO KEY UPDATE OF b
    )
    UPDATE balances b SET fee_version = l.fee_version FROM locked l WHERE b.broker_id = l.broker_id AND b.asset_id = 1
""")  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """What a broker's fees follow from: rates of its own (basis points; None for its tier's), and cents of 30 days."""

    maker_bps: int | None = None
    taker_bps: int | None = None
    turnover: int = 0
    version: int = 0
    """Counts the changes, so that an order with fees of before is noticed as it is reserved for."""

    def rates(self, fees: Fees) -> FeeRates:
        """The fees by these settings."""
        maker_bps, taker_bps = (
            of_tier if own is None else own
            for own, of_tier in zip((self.maker_bps, self.taker_bps), _tier(fees, self.turnover), strict=True)
        )
        return FeeRates(maker_bps, taker_bps, self.version)


def terms_of_row(row: Any) -> FeeTerms:
    """Those of a row that has COLUMNS."""
    return FeeTerms(row.maker_bps, row.taker_bps, int(row.turnover_30d), row.fee_version)


def terms_of(session: Statements, broker_ids: Collection[int]) -> dict[int, FeeTerms]:
    """The terms of these brokers as they are now."""
    return {row.id: terms_of_row(row) for row in session.execute(OF_BROKERS, {"ids": list(broker_ids)})}


def read_fees(session: Statements, broker_id: int, fees: Fees) -> dict[str, Any]:
    """A broker's fees as the API shows them, with all tiers; the volume (cents) is as of the daily roll.

    Raises UnknownBroker.
    """
    terms = terms_of(session, [broker_id]).get(broker_id)
    if terms is None:
        raise _unknown(broker_id)
    return fees_document(terms, fees)


def change_fees(
    session: Statements, broker_id: int, changes: dict[str, int | None], fees: Fees
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a broker rates of its own, None for its tier's; what is left out stays. Before, and after.

    Orders that it has keep theirs. Raises UnknownBroker.
    """
    row = session.execute(LOCKED, {"broker_id": broker_id}).one_or_none()
    if row is None:
        raise _unknown(broker_id)
    own = {"maker_bps": row.maker_bps, "taker_bps": row.taker_bps, **changes}
    version = session.scalar(SET, {"broker_id": broker_id, **own})
    session.execute(TELL_ACCOUNT, {"broker_id": broker_id, "version": version})
    return fees_document(terms_of_row(row), fees), read_fees(session, broker_id, fees)


def count_turnover(session: Statements, now: Any) -> None:
    """Count what each broker has traded in the 30 days before `now`: from here on its tier is that of this."""
    session.execute(COUNT_TURNOVER, {"now": now})


def fees_document(terms: FeeTerms, fees: Fees) -> dict[str, Any]:
    """{maker_bps, taker_bps, volume_30d, tiers}: rates in basis points, volumes in cents."""
    rates = terms.rates(fees)
    return {
        "maker_bps": rates.maker_bps,
        "taker_bps": rates.taker_bps,
        "volume_30d": whole_number(terms.turnover),
        "tiers": [
            {"from_volume": volume, "maker_bps": maker, "taker_bps": taker} for volume, maker, taker in tiers_of(fees)
        ],
    }


def _unknown(broker_id: int) -> UnknownBroker:
    return UnknownBroker(f"There is no broker {broker_id}.")


@cache
def tiers_of(fees: Fees) -> list[tuple[int, int, int]]:
    """(from so many cents, maker, taker) by volume."""
    tiers: Iterable[list[str]] = (tier.split(":") for tier in fees.tiers)
    return sorted((int(volume), int(maker), int(taker)) for volume, maker, taker in tiers)


def _tier(fees: Fees, turnover: int) -> tuple[int, int]:
    reached = [(maker, taker) for volume, maker, taker in tiers_of(fees) if turnover >= volume]
    return reached[-1] if reached else (fees.maker_bps, fees.taker_bps)
