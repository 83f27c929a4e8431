"""What is written for a request finds its rows by indexes, before PostgreSQL has looked at how large its tables are."""

import re

import pytest
from sqlalchemy import text

from api.runtime.database import Database
from services.accounts.read_accounts import CASH_BALANCE
from services.identity.api_keys import HOLDERS
from services.market_data.book import BOOKS, VERSION, VERSIONS
from services.market_data.trades import PRICE
from services.order_entry.changing.amend import AMEND, LOCK, WAITING
from services.order_entry.changing.cancel import CANCEL
from services.order_entry.command_result import OUTCOME
from services.order_entry.placing.answers import FIND_KNOWN
from services.order_entry.placing.open_accounts import OPEN
from services.order_entry.placing.store import PLACE_IN_TURN
from services.order_entry.placing.store_together import RESERVE, STORE
from services.order_entry.read_orders import BY_CLIENT_ID, ONE


def numbered(statement):
    """With numbers in place of the names of what it is given."""
    names = list(dict.fromkeys(re.findall(r"(?<!:):([a-z_]+)", statement)))
    return re.sub(r"(?<!:):([a-z_]+)", lambda name: f"${names.index(name[1]) + 1}", statement)


RESET = "SELECT prosrc, proconfig FROM pg_proc WHERE proname = 'reset_exchange'"

STATEMENTS = {
    "reserve": numbered(RESERVE.text),
    "store": numbered(STORE.text),
    "in turn": numbered(PLACE_IN_TURN.text),
    "known": FIND_KNOWN.text.replace(":brokers", "$1").replace(":names", "$2"),
    "open": numbered(OPEN.text),
    "cancel": CANCEL.text.replace(":document", "$1"),
    "amend": AMEND.text.replace(":document", "$1"),
    "lock": LOCK.text.replace(":ids", "$1"),
    "waiting": WAITING.text.replace(":ids", "$1"),
    "order": numbered(ONE.text.replace("\\", "")),
    "by client's id": numbered(BY_CLIENT_ID.text),
    "outcome": numbered(OUTCOME.text),
    "price": numbered(PRICE.text),
    "version": numbered(VERSION.text),
    "versions": numbered(VERSIONS.text),
    "books": numbered(BOOKS.text),
    "cash": numbered(CASH_BALANCE.text),
    "keys": numbered(HOLDERS.text),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_reads_a_table_from_end_to_end(venue, name):
    with Database(venue.settings).writer.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN (GENERIC_PLAN) {STATEMENTS[name]}").scalars()
        lines = "\n".join(plan)
    for bad in ("Seq Scan", "Hash Join", "Merge Join"):
        assert bad not in lines, lines


@pytest.mark.parametrize("pool", ["writer", "intake"])
def test_what_is_written_is_planned_once(venue, pool):
    with getattr(Database(venue.settings), pool).connect() as connection:
        assert connection.scalar(text("SHOW plan_cache_mode")) == "force_generic_plan"


def test_a_reset_joins_whole_tables_without_comparing_every_row_with_every_other(venue):
    with Database(venue.settings).writer.connect() as connection:
        source, settings = connection.execute(text(RESET)).one()
        for name, value in (setting.split("=", 1) for setting in settings):
            connection.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value})
        (restore,) = re.findall(r"UPDATE balances[^;]*", source)
        plan = "\n".join(connection.execute(text(f"EXPLAIN {restore}")).scalars())
    assert "Hash" in plan.replace("HashAggregate", ""), plan
