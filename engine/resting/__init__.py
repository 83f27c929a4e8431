"""What rests in a book: its two sides, the queues at their prices, ends in time, and what must always hold of it."""
