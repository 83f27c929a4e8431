"""Who there is, how they prove it, and what they did: people, their sessions, keys, the audit log."""
