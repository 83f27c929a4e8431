"""What trades come to, in SQL: the figures of candles, sessions and days are put together here and nowhere else."""

from typing import Final

from services.prices import STANDING_PRICE

FIGURES: Final = ("open", "high", "low", "close", "volume", "turnover", "trades")
"""Prices in cents, `volume` in shares, `turnover` in cents, `trades` counted."""

OF_TRADES: Final = f"""
    (array_agg({STANDING_PRICE} ORDER BY t.sequence))[1] AS open, max({STANDING_PRICE}) AS high,
    min({STANDING_PRICE}) AS low, (array_agg({STANDING_PRICE} ORDER BY t.sequence DESC))[1] AS close,
    CAST(sum(t.quantity) AS numeric) AS volume, sum(CAST({STANDING_PRICE} AS numeric) * t.quantity) AS turnover,
    count(*) AS trades,
    min(t.sequence) AS first_sequence, max(t.sequence) AS last_sequence
"""
"""Of rows `t` of trades that were not busted."""

OF_PARTS: Final = """
    (array_agg(p.open ORDER BY p.first_sequence))[1] AS open, max(p.high) AS high, min(p.low) AS low,
    (array_agg(p.close ORDER BY p.first_sequence DESC))[1] AS close, sum(p.volume) AS volume,
    sum(p.turnover) AS turnover, CAST(sum(p.trades) AS bigint) AS trades, min(p.first_sequence) AS first_sequence,
    max(p.last_sequence) AS last_sequence
"""
"""Of rows `p` that are such figures themselves."""
