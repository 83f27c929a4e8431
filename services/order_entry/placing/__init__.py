"""New orders: reserved for and stored, many together or each in its turn."""
