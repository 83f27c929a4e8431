"""Deciding about trades that should not have been."""
