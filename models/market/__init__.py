"""Stocks, what was traded, and what the market is told of it."""
