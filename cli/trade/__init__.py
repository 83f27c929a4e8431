"""Trading from the terminal."""
