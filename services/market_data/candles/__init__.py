"""Candles and sessions: worked out from the tapes, and shown."""
