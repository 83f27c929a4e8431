"""Telling one broker's receiver: connections to checked addresses, and what is sent over them in which order."""
