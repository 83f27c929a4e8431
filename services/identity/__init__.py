"""Who may come in: brokers, their keys and status, and the administrator."""
