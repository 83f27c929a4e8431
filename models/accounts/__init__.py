"""Brokers, what they have, and what came of it."""
