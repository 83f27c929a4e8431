"""Socket.IO: rooms, and the relay from Redis to rooms. A process of its own, so that sockets cost REST nothing."""
