"""Measurements: ratios taken in one run, never absolute times. Nothing of the product imports this."""
