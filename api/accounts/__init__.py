"""Brokers and what they own over REST."""
