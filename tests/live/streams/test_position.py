"""A stream's position: one word, and whatever is none is none."""

from __future__ import annotations

import pytest

from live.streams.position import LARGEST, Position, position_word, read_position

CHANNELS = ["stock:PETR4", "account"]


@pytest.mark.parametrize("numbers", [[0, 0], [1, 2**40], [LARGEST, 7]])
def test_what_is_written_is_read(numbers: list[int]) -> None:
    word = position_word("a1b2", CHANNELS, numbers)
    assert word.isascii()
    assert read_position(word, CHANNELS) == Position("a1b2", numbers)


@pytest.mark.parametrize(
    "word",
    [
        "", "x", "7", "a.b.c", "a1b2.00000000.0-0", position_word("a1b2", CHANNELS, [1]) + "-", "é",
        position_word("a1b2", CHANNELS[::-1], [1, 2]), position_word("a1b2", CHANNELS[:1], [1]),
        position_word("a1b2", CHANNELS, [1, 2, 3]), position_word("a1b2", CHANNELS, [2**63, 0]),
        position_word("a1b2", CHANNELS, [1, 2]) + "\n", "0" * 10_000,
    ],
)  # fmt: skip
def test_what_is_no_position_of_these_channels_is_none(word: str) -> None:
    assert read_position(word, CHANNELS) is None
