"""How strangers' connections are served, whatever is spoken on them: with clocks, bounds, and a fair share for each."""
