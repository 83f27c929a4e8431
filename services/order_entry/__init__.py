"""Orders, cancels and amendments on their way into the inbox, and what became of them."""
