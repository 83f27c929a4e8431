"""Trades that were taken back or stand at another price, and who owes what since."""
