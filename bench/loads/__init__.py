"""Load: who sends what, when, and how long the answers took."""
