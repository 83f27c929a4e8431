"""What happens to orders once they are there: amendments, cancels, positions that are closed, time that is over."""
