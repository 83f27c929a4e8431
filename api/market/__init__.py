"""Stocks, their states and their market data over REST."""
