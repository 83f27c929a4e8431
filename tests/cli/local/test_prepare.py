"""A database is made ready, or the reason why it cannot serve is told in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cli.local.prepare import prepare
from cli.terminal import CommandError
from database.session import connect, transaction
from services.stocks.listing import list_stock
from settings.sections import Settings


def test_a_stock_that_no_worker_would_match_stops_the_start(new_database: Callable[[], str], tmp_path: Path) -> None:
    settings = Settings()
    settings = replace(
        settings,
        exchange=replace(settings.exchange, data_folder=str(tmp_path)),
        database=replace(settings.database, url=new_database()),
    )
    prepare(settings, demo=False)
    engine = connect(settings.database.url)
    with transaction(engine) as session:
        for symbol, group in (("PETR4", "A"), ("VALE3", "B-1")):
            list_stock(session, symbol=symbol, name=symbol, market=settings.market, group=group)
    engine.dispose()
    with pytest.raises(CommandError) as stopped:
        prepare(settings, demo=False)
    what, mend = stopped.value.text().splitlines()
    assert what == "✗ VALE3 is listed in group B-1, which [match] groups (A) does not name."
    assert "MINEX_MATCH_GROUPS=A,B-1" in mend
    prepare(replace(settings, match=replace(settings.match, groups=("A", "B-1"))), demo=False)
