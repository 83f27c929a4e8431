"""What a web process keeps between requests: connections, caches, limits, places to wait."""
