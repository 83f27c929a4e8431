"""Runs the lines of the Procfile as one exchange: in order, watched, started again when they die, stopped together."""
