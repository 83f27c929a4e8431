"""Webhooks: whom brokers want to be told of their trades, and telling them."""
