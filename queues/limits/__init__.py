"""How much may be asked, and by whom: buckets, guesses at passwords, keys that nobody has."""
