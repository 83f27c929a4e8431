"""The simulator as a process of the exchange, and as a command."""
