"""How a symbol is written: the one place where all that take one look it up."""

import re
from typing import Final

SYMBOL: Final = "[A-Za-z0-9][A-Za-z0-9.-]{0,11}"
"""A symbol as it may be written. Like each pattern that the API's description shows, it means the same in Python and
in ECMA-262, and in the whole of a text only: `\\Z` would be Python's alone, and `$` lets Python pass a line's end."""

SYMBOL_RULE: Final = "A symbol has 1 to 12 letters (A-Z), digits, points and hyphens; the first is no sign."

PATTERN: Final = re.compile(SYMBOL)


def symbol_in(text: str) -> str | None:
    """The symbol, in capitals, that `text` writes in any case; None if it is none."""
    return text.upper() if PATTERN.fullmatch(text) else None


def is_symbol(text: str) -> bool:
    """True if `text` is a symbol as stocks are listed with it: in capitals."""
    return symbol_in(text) == text
