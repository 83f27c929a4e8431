"""What is said of a market: orders, commands, events, rules, states and codes."""
