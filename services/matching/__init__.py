"""A turn of a worker: from the inbox through the books to what is told afterwards."""
