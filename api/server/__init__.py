"""How connections are served: a greenlet for each, with deadlines of its own."""
