"""Everything that is Redis: wake-ups, publish and subscribe, caches, replies. Nothing here cannot be lost."""
