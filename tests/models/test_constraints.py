"""The database itself refuses what must never be, whoever writes it, and says which rule it was."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from database.session import connect, transaction
from models import Base
from settings.loading import ROOT


@pytest.fixture(scope="module")
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url, pool_size=2)
    with transaction(engine) as session:
        session.execute(
            text("""
                INSERT INTO brokers (id, name) VALUES (1, 'A'), (2, 'B');
                INSERT INTO api_keys (broker_id, prefix, key_hash, name, scopes)
                    VALUES (1, 'mx_', 'a', '', '{read}'), (2, 'mx_', 'b', '', '{read,cancel}');
                INSERT INTO assets (id, code, kind) VALUES (7, 'STK', 'stock');
                INSERT INTO stocks (id, symbol, name, group_name, fee_account, tick_size, lot_size, band_bps,
                        execution_price, self_trade_prevention)
                    VALUES (7, 'STK', 'Stock', 'A', -1, 1, 1, 0, 'maker', 'none');
                INSERT INTO balances (broker_id, asset_id, available, credit_limit) VALUES (1, 1, 100, 50);
            """)
        )
    yield engine
    engine.dispose()


ORDER = {
    "broker_id": 1, "stock_id": 7, "document_number": "'1'", "side": "'bid'", "order_type": "'limit'",
    "time_in_force": "'gtc'", "price": 100, "quantity": 10, "remaining_quantity": 10, "fingerprint": "'x'",
}  # fmt: skip
COMMAND = {"stock_id": 7, "kind": "'expire'", "payload": "'{}'"}
TRANSFER = {
    "kind": "'reserve'", "asset_id": 1, "amount": 1, "from_broker": 1, "from_bucket": "'available'", "to_broker": 1,
    "to_bucket": "'reserved'",
}  # fmt: skip
ROWS = {"orders": ORDER, "commands": COMMAND, "transfers": TRANSFER}


def insertion(table: str, **changes: object) -> str:
    values = {**ROWS[table], **changes}
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(str(value) for value in values.values())})"


REFUSED = [
    ("UPDATE balances SET available = -51", "ck_balances_within_limits"),
    ("UPDATE balances SET reserved = -1", "ck_balances_within_limits"),
    ("UPDATE balances SET credit_limit = -1", "ck_balances_within_limits"),
    ("UPDATE balances SET open_orders = -1", "ck_balances_within_limits"),
    ("INSERT INTO balances (broker_id, asset_id) VALUES (3, 1)", "fk_balances_broker_id_brokers"),
    ("INSERT INTO balances (broker_id, asset_id) VALUES (1, 1)", "pk_balances"),
    (insertion("orders", remaining_quantity=9), "ck_orders_parts_add_up"),
    (insertion("orders", filled_quantity=11, remaining_quantity=-1), "ck_orders_parts_add_up"),
    (insertion("orders", cancelled_quantity=-1, remaining_quantity=11), "ck_orders_parts_add_up"),
    (insertion("orders", filled_quantity=-1, remaining_quantity=11), "ck_orders_parts_add_up"),
    (insertion("orders", closed_at="now()"), "ck_orders_parts_add_up"),
    (insertion("orders", remaining_quantity=0, cancelled_quantity=10), "ck_orders_parts_add_up"),
    ("INSERT INTO balances (broker_id, asset_id) VALUES (10000000, 1)", "fk_balances_broker_id_brokers"),
    (insertion("transfers", amount=0), "ck_transfers_amount_positive"),
    ("UPDATE stocks SET state = 'asleep'", "ck_stocks_state_known"),
    ("UPDATE stocks SET tick_size = 0", "ck_stocks_rules_in_range"),
    ("UPDATE brokers SET status = 'gone'", "ck_brokers_status_known"),
    ("UPDATE api_keys SET key_hash = 'a'", "uq_api_keys_key_hash"),
    ("UPDATE api_keys SET scopes = '{}'", "ck_api_keys_scopes_known"),
    ("UPDATE api_keys SET scopes = '{read,admin}'", "ck_api_keys_scopes_known"),
    ("UPDATE api_keys SET allowed_addresses = '{}'", "ck_api_keys_some_address_allowed"),
    ("UPDATE api_keys SET broker_id = 3", "fk_api_keys_broker_id_brokers"),
    ("INSERT INTO assets (code, kind) VALUES ('STK', 'stock')", "uq_assets_code"),
]


@pytest.mark.parametrize(("statement", "constraint"), REFUSED, ids=[constraint for _, constraint in REFUSED])
def test_the_database_refuses(engine: Engine, statement: str, constraint: str) -> None:
    with pytest.raises(IntegrityError) as refused, transaction(engine) as session:
        session.execute(text(statement))
    assert constraint in str(refused.value.orig)


def test_what_is_refused_above_is_otherwise_accepted(engine: Engine) -> None:
    for table in ROWS:
        with transaction(engine) as session:
            session.execute(text(insertion(table)))


@pytest.mark.parametrize(
    ("first", "again", "index"),
    [
        (insertion("orders", client_order_id="'x'"), insertion("orders", client_order_id="'x'"), "client_order_id"),
        (
            insertion("commands", sequence=5, sequenced_at="now()"),
            insertion("commands", sequence=5, sequenced_at="now()"),
            "uq_commands_stock_id_sequence",
        ),
    ],
)
def test_what_is_used_once_for_ever(engine: Engine, first: str, again: str, index: str) -> None:
    with transaction(engine) as session:
        session.execute(text(first))
    with pytest.raises(IntegrityError, match=index), transaction(engine) as session:
        session.execute(text(again))


def test_one_amendment_of_an_order_waits_at_a_time(engine: Engine) -> None:
    with transaction(engine) as session:
        order = session.execute(text(insertion("orders") + " RETURNING id")).scalar_one()
        waiting = insertion("commands", kind="'amend'", order_id=order)
        session.execute(text(insertion("commands", kind="'amend'", order_id=order, sequence=9, sequenced_at="now()")))
        session.execute(text(waiting))
    with pytest.raises(IntegrityError, match="uq_commands_order_id_waiting_amendment"), transaction(engine) as session:
        session.execute(text(waiting))


def test_amounts_end_where_a_bigint_does(engine: Engine) -> None:
    with pytest.raises(DBAPIError, match="out of range"), transaction(engine) as session:
        session.execute(text("UPDATE balances SET available = 9223372036854775807 + available"))


def test_every_constraint_and_index_follows_the_one_convention(engine: Engine) -> None:
    inspector = inspect(engine)
    prefixes = {"pk": [], "fk": [], "ck": [], "uq": [], "ix": []}
    for table in Base.metadata.tables:
        prefixes["pk"].append(inspector.get_pk_constraint(table)["name"])
        prefixes["fk"] += [one["name"] for one in inspector.get_foreign_keys(table)]
        prefixes["ck"] += [one["name"] for one in inspector.get_check_constraints(table)]
        prefixes["uq"] += [one["name"] for one in inspector.get_unique_constraints(table)]
        for index in inspector.get_indexes(table):
            prefixes["uq" if index["unique"] else "ix"].append(index["name"])
    for prefix, names in prefixes.items():
        assert names
        assert all(name.startswith(f"{prefix}_") for name in names), names


def test_every_table_has_a_file_of_its_own() -> None:
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "models").rglob("*.py")}
    modules = {mapper.class_.__module__ for mapper in Base.registry.mappers}
    assert modules <= files
    assert len(modules) == len(Base.metadata.tables)
