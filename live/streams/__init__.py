"""Server-sent events: the same feeds over plain HTTP, which go on from wherever a client was."""
