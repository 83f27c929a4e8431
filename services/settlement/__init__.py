"""What a turn changes in the database: orders, trades, transfers, balances, positions."""
