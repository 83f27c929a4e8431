"""What the exchange does, one use case a file. Each takes an open session and knows no HTTP, Redis or RQ."""
