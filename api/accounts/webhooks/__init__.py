"""Brokers' webhooks."""
