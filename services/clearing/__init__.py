"""Trades that should not have been: what judges them, who decides, and what a bust does to everybody's accounts."""
