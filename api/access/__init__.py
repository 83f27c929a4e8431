"""Who calls, what they may use, and what it takes from their bucket."""
