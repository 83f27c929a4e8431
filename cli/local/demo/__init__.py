"""What a new exchange of our own is given: stocks, brokers, and a market that lives."""
