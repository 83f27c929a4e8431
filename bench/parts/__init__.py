"""The measurements, one a file; each gives figures."""
