"""Whom brokers want to be told of their trades, and what each was told."""
