"""What everybody may see of a stock: its book and its trades."""
