"""How a fill came about, told to whose it is."""
