"""Trading from the terminal, one command a file."""
