"""Whether PostgreSQL has ended a connection while nobody used it."""

import fcntl
import termios
from array import array
from typing import Any

import psycopg
from psycopg import pq


def is_cut(pgconn: Any) -> bool:
    """True if a farewell or an end can be read on a connection that nobody waits on.

    Asked of the system itself: `select.poll` may be gevent's, and would let every other request go first.
    """
    spoken = array("i", [0])
    try:
        fcntl.ioctl(pgconn.socket, termios.FIONREAD, spoken)
        pgconn.consume_input()
    except (OSError, psycopg.Error):
        return True
    return bool(spoken[0]) or pgconn.status == pq.ConnStatus.BAD
