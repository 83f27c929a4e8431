"""HTTP itself: bodies, arguments, fields, pages, problems. Knows nothing of the process that it serves."""
