"""What commands do to a book: orders enter, match, are amended and elected, auctions end, states change."""
