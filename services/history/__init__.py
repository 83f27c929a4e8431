"""A stock's book as it was: kept now and then, and carried on from there by the journal."""
