"""People: who logs in, what of it is theirs, and who lets them in."""
