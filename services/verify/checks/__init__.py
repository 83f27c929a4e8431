"""The invariants, one file for each subject."""
