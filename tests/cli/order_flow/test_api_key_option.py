"""Given a key on the command line, or the name of the file that holds it, then the key is known, or refused."""

import click
import pytest

from cli.order_flow.api_key_option import ApiKey


def test_a_key_is_itself_or_in_a_file(tmp_path):
    file = tmp_path / "key"
    file.write_text("mx_secret\n")
    assert ApiKey().convert("mx_secret", None, None) == "mx_secret"
    assert ApiKey().convert(f"@{file}", None, None) == "mx_secret"


@pytest.mark.parametrize("content", ["", "\n", "two words", "mx_é", "a\nb"])
def test_what_is_no_key_is_refused(tmp_path, content):
    file = tmp_path / "key"
    file.write_text(content)
    with pytest.raises(click.BadParameter, match="not an API key"):
        ApiKey().convert(f"@{file}", None, None)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(click.BadParameter, match="nowhere cannot be read"):
        ApiKey().convert(f"@{tmp_path}/nowhere", None, None)
