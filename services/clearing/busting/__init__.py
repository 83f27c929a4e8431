"""What a turn of busts does: decide each, move what it moves, work out again what depended on the trade, store it."""
