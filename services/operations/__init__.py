"""What keeps the exchange running: its health, the lease of the clock, a reset for tests."""
