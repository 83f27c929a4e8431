"""Health, the description of the API, and what only sandboxes have."""
