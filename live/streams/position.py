"""Where a stream stands: one word that covers all of its channels, as `id:` of each event.

It names the epoch, the list of channels, and the number of each. To clients it is opaque.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

WORD: Final = re.compile(r"([0-9A-Za-z]{1,64})\.([0-9a-f]{8})\.((?:[0-9a-f]{1,16})(?:-[0-9a-f]{1,16})*)")

LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Position:
    """The numbers of the channels, in the order in which they were asked for."""

    epoch: str
    numbers: Sequence[int]


def position_word(epoch: str, channels: Sequence[str], numbers: Iterable[int]) -> str:
    """The position with these numbers of these channels."""
    return f"{epoch}.{_mark_of(channels)}.{'-'.join([format(number, 'x') for number in numbers])}"


def read_position(word: str, channels: Sequence[str]) -> Position | None:
    """What a word says; None for one that is no position of these channels."""
    found = WORD.fullmatch(word)
    if found is None or found[2] != _mark_of(channels):
        return None
    numbers = [int(number, 16) for number in found[3].split("-")]
    if len(numbers) != len(channels) or max(numbers) > LARGEST:
        return None
    return Position(found[1], numbers)


def _mark_of(channels: Sequence[str]) -> str:
    """What tells one list of channels from another."""
    return format(zlib.crc32(",".join(channels).encode()), "08x")
