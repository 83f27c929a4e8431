"""What everybody may see of a stock: its book, its prices and its trades."""
