"""Every example of docs/rules.md says what `minex simulate` says."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.commands.simulate import command

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"```sh\n\./minex simulate([^\n]*) <<'END'\n(.*?)END\n```\n\n```json\n(.*?)```", re.DOTALL)
EXAMPLES = EXAMPLE.findall(PAGE)


@pytest.mark.parametrize(("options", "commands", "events"), EXAMPLES)
def test_an_example(options, commands, events):
    result = CliRunner().invoke(command, shlex.split(options), input=commands, catch_exceptions=False)
    assert result.stdout == events


def test_every_example_is_run():
    assert len(EXAMPLES) == PAGE.count("```sh") == PAGE.count("```json") > 10
