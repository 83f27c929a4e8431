"""What was probably meant by a name that nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], most: int = 1) -> str:
    """`; did you mean 'port'?`, to be put behind a complaint; empty where no known name is near.

    `most` is how many names it may have, the nearest first: `; did you mean 'XNYS' or 'XNSE'?`.
    """
    near = [repr(name) for name in difflib.get_close_matches(word, sorted(known), most)]
    if not near:
        return ""
    *others, last = near
    return f"; did you mean {', '.join(others)}{' or ' if others else ''}{last}?"
