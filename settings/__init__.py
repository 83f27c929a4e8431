"""Typed settings of every process: what there is, what its values may be, and how it is read."""
