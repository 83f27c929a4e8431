"""A lock for a few lines that never wait: the system's own, whoever has patched `threading`.

gevent's lets greenlets wait for each other, and costs twenty times as much. Where nothing waits no greenlet can come
between the lines, and threads hold such a lock for microseconds.
"""

from typing import Any

from gevent import monkey


def short_lock() -> Any:
    """A new one, for `with`."""
    return monkey.get_original("_thread", "allocate_lock")()
