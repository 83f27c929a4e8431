"""The processes that act on their own: the group workers and the clock."""
