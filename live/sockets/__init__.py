"""One client's WebSocket, whatever is said on it: frames, turns, an outbox, and the Engine.IO session behind it."""
