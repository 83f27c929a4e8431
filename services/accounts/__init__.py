"""What brokers own: deposits, balances, positions."""
