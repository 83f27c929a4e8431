"""From checked requests to a filled inbox and a woken worker: many requests in one commit."""
