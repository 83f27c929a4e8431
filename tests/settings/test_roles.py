"""Given three roles of the database, then each process knows the one that it works as, and no other."""

from dataclasses import replace
from pathlib import Path

import pytest

from settings.loading import load_settings, variables_of
from settings.processes import Simulator
from settings.roles import for_process
from settings.sections import Settings

URLS = {role: f"postgresql://{role}:secret-of-{role}@db/minex" for role in ("process", "owner", "reader")}


@pytest.mark.parametrize(
    ("name", "role"), [("web", "process"), ("match-A", "process"), ("clock", "process"), ("live", "reader")]
)
def test_a_process_knows_one_role(tmp_path: Path, name: str, role: str) -> None:
    base = Settings()
    roles = {"url": URLS["process"], "owner_url": URLS["owner"], "reader_url": URLS["reader"]}
    passwords = dict.fromkeys(("password", "owner_password", "reader_password"), "secret-apart")
    given = replace(base, database=replace(base.database, **roles, **passwords))
    variables = variables_of(for_process(given, name))
    assert variables["MINEX_DATABASE_URL"] == URLS[role]
    assert " ".join(variables.values()).count("secret-") == 1
    empty = tmp_path / "exchange.toml"
    empty.write_text("")
    known = load_settings(empty, variables).database
    assert known.owner == known.reader == known.url == URLS[role]


def test_with_one_role_every_process_has_it() -> None:
    base = Settings()
    given = replace(base, database=replace(base.database, url=URLS["process"]))
    assert all(for_process(given, name) == given for name in ("web", "live", "match-A", "clock"))


def test_only_the_simulator_knows_its_keys_and_it_knows_no_server() -> None:
    base = Settings(simulator=Simulator(enabled=True, makers_key="mx_makers", people_key="mx_people"))
    given = replace(
        base,
        database=replace(base.database, url=URLS["process"], owner_url=URLS["owner"]),
        redis=replace(base.redis, url="redis://operator:secret@cache/0"),
        exchange=replace(base.exchange, admin_key="mxadmin_secret"),
    )
    own = for_process(given, "simulator")
    assert own.simulator == given.simulator
    assert (own.database.url, own.database.owner_url, own.redis.url, own.exchange.admin_key) == ("", "", "", "")
    for name in ("web", "live", "match-A", "clock", "reporter", "webhooks", "clearing"):
        assert "mx_" not in " ".join(variables_of(for_process(given, name)).values()).replace("mxadmin_", "")
