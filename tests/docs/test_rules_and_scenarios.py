"""Every scenario that docs/development/rules-and-scenarios.md names is there, and every rule has one."""

import re
from pathlib import Path

from tests.engine.stories import scenarios

PAGE = (Path(__file__).parents[2] / "docs" / "development" / "rules-and-scenarios.md").read_text(encoding="utf-8")
RULES = re.findall(r"^\| (?!Rule )(.+?) \| (.*?) ?\|$", PAGE, re.MULTILINE)


def test_every_scenario_named_exists():
    titles = {scenario.title for scenario in scenarios()}
    assert [title for _, named in RULES for title in named.split("<br>") if title not in titles] == []


def test_every_rule_is_read():
    assert len(RULES) == PAGE.count("\n| ") - PAGE.count("\n| Rule ") > 50
