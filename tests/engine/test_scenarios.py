"""Given a book, when these orders come, then these trades: the stories under scenarios/, one test each."""

import pytest

from tests.engine.stories import parse, run, scenarios


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.title)
def test_scenario(scenario):
    steps, book = run(scenario)
    assert steps == scenario.steps
    assert book == scenario.book


def test_every_scenario_says_how_the_book_ends():
    assert [scenario.title for scenario in scenarios() if set(scenario.book) != {"Bids", "Asks"}] == []


def test_titles_are_used_once():
    titles = [scenario.title for scenario in scenarios()]
    assert len(titles) == len(set(titles)) > 40


def test_a_story_that_is_wrong_fails():
    scenario = parse(
        "Scenario: x\n    sell a 1 @ 10\n    buy b 1 @ 10\n        trade a b 2 @ 10\n    Bids: -\n    Asks: -\n"
    )[0]
    steps, _ = run(scenario)
    assert steps != scenario.steps
