"""Orders over REST: placing, changing, cancelling, and what became of them."""
