"""What the bench takes for a promise to receivers that was kept, and for one that was broken."""

from __future__ import annotations

import pytest

from bench.world.told import Attempt, Told, out_of_order, too_soon, twice


class Story:
    """Second by second: `1` came, `1!` came and was answered by 500, `1*` came set aside, `1-` found nobody there."""

    def __init__(self, words: str, seconds: float = 1.0, takes: float = 0.001) -> None:
        self.told: list[Told] = []
        self.attempts: list[Attempt] = []
        for step, word in enumerate(words.split()):
            at, number = 1_000 + step * seconds, int(word[0])
            status = {"!": 500, "-": "refused"}.get(word[-1], 204)
            self.attempts.append(Attempt(number, at, status))
            if status != "refused":
                message = {"sequence": number, "account_sequence": number}
                alone = word.endswith("*")
                self.told.append(Told(at + 0.001, at + takes, str(number), number, b"", message, alone, int(status)))


@pytest.mark.parametrize(
    "words",
    [
        "1 2 3",
        "1 2! 2 3",
        "1 2 2 1 3",
        "1 2! 2! 2! 3 4 2*",
        "1 2- 2- 2- 3- 3- 3- 3- 3- 3 4 2*",
        "1 2- 2- 2- 3- 3- 3- 3- 2* 3 4",
        "1 2- 2- 2- 3- 3- 3- 3- 2* 3! 4 3*",
        "1! 1! 1! 2 3! 3! 3! 4 1* 3*",
        "1! 1! 1! 2! 2! 2! 2! 2 3 1*",
    ],
)
def test_a_promise_that_was_kept(words: str) -> None:
    story = Story(words)
    assert out_of_order(story.told, story.attempts) == []


@pytest.mark.parametrize(
    "words",
    [
        "1 3 2",
        "1 3",
        "1! 1! 2",
        "1! 1! 1! 2 1",
        "1! 1! 1*",
        "1- 1- 1- 2- 2- 2- 3 1* 2*",
        "1! 1! 1! 1!",
    ],
)
def test_a_promise_that_was_broken(words: str) -> None:
    story = Story(words)
    assert out_of_order(story.told, story.attempts)


def test_one_that_came_before_the_last_was_answered() -> None:
    story = Story("1 2", takes=3)
    assert out_of_order(story.told, story.attempts)


def test_what_was_tried_again_too_soon_and_what_came_twice() -> None:
    story = Story("1! 1 2! 2 1", seconds=0.2)
    assert too_soon(story.attempts, 1) == ["1 was tried again after 0.200 s", "2 was tried again after 0.200 s"]
    assert too_soon(story.attempts, 0.1) == []
    assert twice(story.told) == 1
