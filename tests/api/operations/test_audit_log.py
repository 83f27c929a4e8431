"""Given acts of all kinds, then who did them is written down, without any secret, and nobody can change it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from embedded.postgres_roles import PROCESS, READER
from tests.api.browser import Browser, told
from tests.api.venue import PASSWORD, Caller, Venue, settings_for
from tests.roles import as_role


def newest(venue: Venue, **wanted: str) -> dict[str, Any]:
    """The last entry."""
    found: dict[str, Any] = venue.admin.get("/audit", limit=1, **wanted)["items"][0]
    return found


def test_an_entry_says_who_what_when_from_where_and_by_which_request(venue: Venue) -> None:
    operator, stock = venue.person("operator"), venue.list()
    answer = operator.post(f"/stocks/{stock}/state", {"state": "halted", "reason": "news"})
    entry = newest(venue, target=f"stock:{stock}")
    assert entry.pop("time").endswith("Z")
    assert entry.pop("audit_id")
    assert entry == {
        "actor": {"kind": "person", "id": operator.user_id, "name": operator.username},
        "action": "stock.state", "target": f"stock:{stock}", "before": {"state": "open"},
        "after": {"state": "halted", "reason": "news"}, "address": "127.0.0.1",
        "request_id": answer.headers["X-Request-ID"],
    }  # fmt: skip


def test_every_act_is_there(venue: Venue) -> None:
    broker, stock = venue.broker(cash=500), venue.list()
    target = f"broker:{broker.broker_id}"
    assert newest(venue, action="broker.register")["after"]["cash"] == 500
    assert newest(venue)["action"] == "stock.list"
    key = broker.post("/api-keys", {"name": "Bot", "scopes": ["read"]}).json
    entry = newest(venue)
    assert (entry["action"], entry["actor"]["kind"], entry["target"]) == ("key.make", "key", f"key:{key['key_id']}")
    assert (entry["after"]["name"], entry["after"]["scopes"]) == ("Bot", ["read"])
    other = broker.post(f"/api-keys/{key['key_id']}/rotate", {"overlap_seconds": 60}).json
    assert newest(venue)["after"]["overlap_seconds"] == 60
    broker.delete(f"/api-keys/{other['key_id']}")
    broker.delete(f"/api-keys/{other['key_id']}")
    assert [entry["action"] for entry in venue.admin.get("/audit", target=f"key:{other['key_id']}")["items"]] == [
        "key.revoke"
    ]
    venue.admin.post(f"/brokers/{broker.broker_id}/suspend")
    assert (newest(venue)["before"], newest(venue)["after"]) == ({"status": "active"}, {"status": "suspended"})
    venue.admin.post(f"/brokers/{broker.broker_id}/activate")
    venue.admin.post(f"/brokers/{broker.broker_id}/rotate-key")
    acts = [entry["action"] for entry in venue.admin.get("/audit", target=target)["items"]]
    assert acts == ["broker.rotate_key", "broker.activate", "broker.suspend", "broker.register"]
    for path in ("uncross", "roll"):
        venue.admin.post(f"/stocks/{stock}/{path}")
        assert newest(venue)["action"] == f"stock.{path}"
        assert newest(venue)["actor"] == {"kind": "admin_key", "id": None, "name": "administrator"}


def test_so_is_what_is_done_with_people(venue: Venue) -> None:
    made = venue.nobody.post("/signup", {"username": "audited", "password": PASSWORD}).json
    entry = newest(venue)
    assert (entry["action"], entry["actor"]["id"], entry["actor"]["name"]) == (
        "user.sign_up",
        made["user_id"],
        "audited",
    )
    admin = venue.person("admin")
    assert newest(venue)["action"] == "user.let_in"
    admin.put(f"/users/{made['user_id']}", {"role": "operator", "password": "a lamp beside the window"})
    entry = newest(venue)
    assert entry["actor"]["name"] == admin.username
    assert (entry["before"]["role"], entry["after"]["role"]) == ("trader", "operator")
    assert entry["after"]["changed"] == "password, role"
    admin.put("/me/password", {"current_password": PASSWORD, "new_password": "a lamp beside the window"})
    assert (newest(venue)["action"], newest(venue)["target"]) == ("user.password", f"user:{admin.user_id}")


def test_what_is_refused_or_undone_leaves_nothing(venue: Venue) -> None:
    before = newest(venue)["audit_id"]
    broker = venue.broker()
    registered = newest(venue)["audit_id"]
    assert registered > before
    venue.admin.post("/register", {"name": "x", "positions": {"NOSUCH": 1}})
    venue.admin.post("/brokers/999999/suspend")
    broker.post("/api-keys", {"name": "x", "scopes": ["read"], "expires_at": "2001-01-01T00:00:00Z"})
    venue.admin.post("/users", {"username": "x1", "password": PASSWORD, "role": "operator"})
    assert newest(venue)["audit_id"] == registered


def test_no_secret_is_in_it(venue: Venue) -> None:
    broker, browser = venue.broker(), Browser(venue)
    made = broker.post("/api-keys", {"name": "Bot", "scopes": ["read"]}).json
    person = venue.person(broker=broker)
    browser.log_in(person)
    person.put("/me/password", {"current_password": PASSWORD, "new_password": "a lamp beside the window"})
    replaced = venue.admin.post(f"/brokers/{broker.broker_id}/rotate-key").json["api_key"]
    text = venue.scalar("SELECT string_agg(CAST(a AS text), ' ') FROM audit_log a")
    for secret in (broker.key, made["api_key"], replaced, PASSWORD, "a lamp beside", "argon2", "whsec", person.key):
        assert secret not in text


def test_only_administrators_and_operators_read_it(venue: Venue) -> None:
    for role, expected in (("trader", 403), ("clearing", 403), ("operator", 200), ("admin", 200)):
        assert venue.person(role).call("GET", "/audit").status_code == expected
    assert told(venue.broker().call("GET", "/audit")) == (403, "admin_only")


def test_it_comes_in_pages_and_by_what_was_done(venue: Venue) -> None:
    for _ in range(3):
        venue.broker()
    first = venue.admin.get("/audit", limit=2, action="broker.register")
    second = venue.admin.get("/audit", limit=2, action="broker.register", cursor=first["next_cursor"])
    ids = [entry["audit_id"] for entry in first["items"] + second["items"]]
    assert ids == sorted(ids, reverse=True)
    assert {entry["action"] for entry in first["items"]} == {"broker.register"}
    assert venue.admin.get("/audit", actor="nobody")["items"] == []


CHANGES = (
    "UPDATE audit_log SET actor_name = 'somebody'",
    "DELETE FROM audit_log",
    "TRUNCATE audit_log",
    "TRUNCATE brokers CASCADE",
    "ALTER TABLE audit_log DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "DROP TABLE audit_log",
    "CREATE RULE none AS ON INSERT TO audit_log DO INSTEAD NOTHING",
    "ALTER TABLE audit_log OWNER TO minex_process",
)


@pytest.mark.parametrize("role", [PROCESS, READER])
@pytest.mark.parametrize("statement", CHANGES)
def test_the_processes_change_nothing_of_it(venue: Venue, database_url: str, role: str, statement: str) -> None:
    venue.broker()
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
    with psycopg.connect(as_role(database_url, role), autocommit=True) as connection, refused:
        connection.execute(statement)  # type: ignore[call-overload]


def test_a_sandbox_that_is_reset_keeps_it(new_database: Any, redis_url: str) -> None:
    venue = Venue(settings_for(new_database(), redis_url))
    venue.broker()
    before = venue.scalar("SELECT count(*) FROM audit_log")
    assert Caller(venue, venue.admin.key).post("/debug/reset").status_code == 204
    assert venue.scalar("SELECT count(*) FROM audit_log") == before + 1
    assert newest(venue)["action"] == "exchange.reset"
    venue.close()
