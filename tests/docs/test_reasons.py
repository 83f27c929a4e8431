"""Every reason of a cancelled order is explained to whoever listens."""

from pathlib import Path

import pytest

from engine.terms.codes import REASONS

PAGE = Path(__file__).parents[2] / "docs" / "socketio.md"


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_the_page_of_events_explains_each_reason_of_a_cancel(reason):
    section = PAGE.read_text().split("### `ORDER_CANCELLED`")[1].split("```json")[0]
    assert f"`{reason}`" in section
