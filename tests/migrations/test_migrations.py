"""The numbered migrations go up and down, and end where the models are."""

import re
from collections.abc import Callable

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from cli.local.schema import alembic_config, newest_revision, revision_of, upgrade
from database.session import connect, transaction
from models import Base
from services.identity.api_keys import holders_of
from services.identity.scopes import ALL
from settings.loading import ROOT


@pytest.fixture
def database(new_database: Callable[[], str]) -> str:
    """A database of this test alone, at the newest schema."""
    return new_database()


def tables(url: str) -> set[str]:
    engine = connect(url, pool_size=1)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_the_models_say_what_the_migrations_made(database: str) -> None:
    command.check(alembic_config(database))


def test_the_newest_revision_is_known_without_asking_alembic(database: str) -> None:
    assert newest_revision() == ScriptDirectory.from_config(alembic_config("")).get_current_head()
    assert revision_of(database) == newest_revision()
    command.downgrade(alembic_config(database), "base")
    assert revision_of(database) is None


def test_down_to_nothing_and_up_again(database: str) -> None:
    at_first = tables(database)
    assert at_first == {*Base.metadata.tables, "alembic_version"}
    command.downgrade(alembic_config(database), "base")
    assert tables(database) == {"alembic_version"}
    upgrade(database)
    assert tables(database) == at_first
    command.check(alembic_config(database))
    engine: Engine = connect(database, pool_size=1)
    with transaction(engine) as session:
        cash = session.execute(text("SELECT id, code, kind FROM assets")).one()
    engine.dispose()
    assert tuple(cash) == (1, "cash", "cash")


def test_there_is_one_line_of_migrations_and_their_names_are_numbered() -> None:
    scripts = ScriptDirectory.from_config(alembic_config("postgresql://"))
    assert len(scripts.get_heads()) == 1
    revisions = [revision.revision for revision in scripts.walk_revisions()]
    assert sorted(revisions) == [f"{number:04}" for number in range(1, len(revisions) + 1)]
    files = sorted(path.name for path in (ROOT / "migrations" / "versions").glob("*.py"))
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.py", name) for name in files)
    assert [name[:4] for name in files] == sorted(revisions)


def test_a_database_that_is_up_to_date_is_left_alone(database: str) -> None:
    upgrade(database)
    assert "orders" in tables(database)


def test_older_trades_get_the_reference_that_their_band_lay_around(database: str) -> None:
    command.downgrade(alembic_config(database), "0003")
    engine: Engine = connect(database, pool_size=1)
    with transaction(engine) as session:
        session.execute(
            text("""
            INSERT INTO assets (id, code, kind) VALUES (2, 'OLD', 'stock'), (3, 'NEW', 'stock');
            INSERT INTO stocks (id, symbol, name, group_name, tick_size, lot_size, band_bps, execution_price,
                self_trade_prevention, listing_price)
            VALUES (2, 'OLD', 'Old', 'A', 1, 1, 1000, 'maker', 'none', 500), (3, 'NEW', 'New', 'A', 1, 1, 1000, 'maker',
                'none', NULL);
            INSERT INTO trades (stock_id, sequence, command_sequence, price, quantity, aggressor_side, buy_order_id,
                sell_order_id, buyer_id, seller_id, executed_at)
            SELECT stock, n, command, price, 1, 'bid', 1, 2, 1, 2, now()
            FROM (VALUES (2, 1, 2, 510), (3, 1, 2, 700), (3, 2, 2, 710), (3, 3, 4, 720)) AS t (stock, n, command, price)
        """)
        )
    upgrade(database)
    with transaction(engine) as session:
        rows = session.execute(text("SELECT price, reference_price FROM trades ORDER BY price")).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [(510, 500), (700, None), (710, None), (720, 700)]


def test_open_orders_of_before_are_counted(database: str) -> None:
    """Who has only bid for a stock gets a balance that counts; what is closed counts nowhere."""
    command.downgrade(alembic_config(database), "0006")
    engine: Engine = connect(database, pool_size=1)
    with transaction(engine) as session:
        session.execute(
            text("""
            INSERT INTO assets (id, code, kind) VALUES (2, 'OLD', 'stock'), (3, 'NEW', 'stock');
            INSERT INTO brokers (id, name, api_key_hash, webhook_secret, short_limit, status)
            VALUES (1, 'One', 'a', '', 7, 'suspended'), (2, 'Two', 'b', '', 0, 'active');
            INSERT INTO balances (broker_id, asset_id, reserved) VALUES (1, 1, 20), (2, 1, 0), (2, 3, 10);
            INSERT INTO orders (broker_id, stock_id, document_number, side, order_type, time_in_force, price, quantity,
                remaining_quantity, cancelled_quantity, status, fingerprint, closed_at)
            SELECT broker, stock, '1', side, 'limit', 'gtc', 1, 10, left_over, 10 - left_over, status, '',
                CASE left_over WHEN 0 THEN now() END
            FROM (VALUES (1, 2, 'bid', 10, 'open'), (1, 2, 'bid', 10, 'pending'), (1, 3, 'bid', 0, 'cancelled'),
                (2, 3, 'ask', 10, 'open')) AS t (broker, stock, side, left_over, status)
        """)
        )
    upgrade(database)
    counted = "SELECT broker_id, asset_id, open_orders, credit_limit, blocked FROM balances ORDER BY 1, 2"
    with transaction(engine) as session:
        rows = [tuple(row) for row in session.execute(text(counted))]
    engine.dispose()
    assert rows == [(1, 1, 2, 0, False), (1, 2, 2, 7, True), (2, 1, 1, 0, False), (2, 3, 1, 0, False)]


def test_a_broker_keeps_its_key_when_keys_become_many(database: str) -> None:
    command.downgrade(alembic_config(database), "0010")
    engine: Engine = connect(database, pool_size=1)
    with transaction(engine) as session:
        session.execute(
            text("INSERT INTO brokers (name, api_key_hash, webhook_secret) VALUES ('One', 'a', ''), ('Two', 'b', '')")
        )
    upgrade(database)
    with transaction(engine) as session:
        holders = holders_of(session, [b"a", b"b"])
        assert {holder.name: holder.reach.scopes for holder in holders.values()} == {"One": ALL, "Two": ALL}
        assert not any(holder.is_limited for holder in holders.values())
        session.execute(text("UPDATE api_keys SET revoked_at = now() WHERE key_hash = 'b'"))
    command.downgrade(alembic_config(database), "0010")
    with transaction(engine) as session:
        rows = session.execute(text("SELECT name, api_key_hash FROM brokers ORDER BY id")).all()
    engine.dispose()
    assert {name: bytes(digest) for name, digest in rows} == {"One": b"a", "Two": b"no key of broker 2"}
