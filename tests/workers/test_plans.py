"""A turn finds every row by an index, even before PostgreSQL has ever looked at how large its tables are."""

import pytest
from sqlalchemy import text

from services.matching import inbox
from services.order_entry.changing.expire import ENQUEUE
from services.settlement import appended_rows, balance_rows, order_rows, stock_rows
from workers.database import connect_worker

STATEMENTS = {
    name: value
    for module in (inbox, appended_rows, balance_rows, order_rows, stock_rows)
    for name, value in vars(module).items()
    if name.isupper() and not name.startswith("_") and isinstance(value, str) and value.startswith("\n")
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_reads_a_table_from_end_to_end(exchange, name):
    engine = connect_worker(exchange.settings)
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN (GENERIC_PLAN) {STATEMENTS[name].replace('%', '%%')}").scalars()
        lines = "\n".join(plan)
    engine.dispose()
    for bad in ("Seq Scan", "Hash Join", "Merge Join"):
        assert bad not in lines, lines


@pytest.mark.parametrize("name", ["UPDATE_ORDERS", "UPDATE_CHARGED", "CHANGE_BALANCES"])
def test_rows_are_locked_in_the_order_of_the_list(exchange, name):
    """So whoever else locks them in that order waits, and nobody for each other."""
    engine = connect_worker(exchange.settings)
    with engine.connect() as connection:
        plan = list(connection.exec_driver_sql(f"EXPLAIN (GENERIC_PLAN) {STATEMENTS[name]}").scalars())
    engine.dispose()
    update = next(number for number, line in enumerate(plan) if "Update on" in line)
    nodes = [line.strip().split("  (")[0] for line in plan[update:] if "->" in line or "Update on" in line]
    below = [node.lstrip("-> ") for node in nodes[1:4]]
    assert below[0] == "Nested Loop", plan
    assert below[1].startswith("Function Scan on t"), plan
    assert below[2].startswith("Index Scan using pk_"), plan


def test_orders_that_run_out_are_found_by_when_they_do(exchange):
    """Not by reading every open order that has an end, four times a second."""
    engine = connect_worker(exchange.settings)
    with engine.connect() as connection:
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {ENQUEUE.text}").scalars())
    engine.dispose()
    assert "Index Cond: (valid_until <= " in plan, plan


def test_a_worker_plans_once(exchange):
    engine = connect_worker(exchange.settings)
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW plan_cache_mode")) == "force_generic_plan"
    engine.dispose()
