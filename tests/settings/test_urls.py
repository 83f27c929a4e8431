"""Given any password, then the drivers understand the url; given something else than a url, then the start stops."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from redis import Redis
from sqlalchemy import make_url

from settings.loading import load_settings, variables_of
from settings.sections import Settings
from settings.urls import REDIS, completed, is_url_of, server_url, socket_url
from settings.values import SettingsError

PASSWORDS = ["plain", "p@ss", "a/b:c?d#e%f&g", "50%off", "ünï cödé", "[::1]", "'\"\\", "%2F"]


def load(folder: Path, **environment: str) -> Settings:
    path = folder / "exchange.toml"
    path.write_text("")
    return load_settings(path, environment)


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_given_apart_reaches_the_drivers_as_it_is(tmp_path: Path, password: str) -> None:
    settings = load(
        tmp_path,
        MINEX_DATABASE_URL="postgresql://minex@db.internal:5432/minex",
        MINEX_DATABASE_PASSWORD=password,
        MINEX_REDIS_URL="redis://redis.internal:6379/0",
        MINEX_REDIS_PASSWORD=password,
    )
    known = conninfo_to_dict(settings.database.url)
    assert (known["user"], known["password"], known["host"]) == ("minex", password, "db.internal")
    assert make_url(settings.database.url).password == password
    redis = Redis.from_url(settings.redis.url).connection_pool.connection_kwargs
    assert (redis["password"], redis["host"]) == (password, "redis.internal")
    assert load(tmp_path, **variables_of(settings)) == settings


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_composed_url_is_understood(password: str) -> None:
    url = make_url(server_url("postgresql", "::1", 5432, "minex", user="us@er", password=password))
    assert (url.username, url.password, url.host, url.port, url.database) == ("us@er", password, "::1", 5432, "minex")


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_composed_url_of_a_socket_is_understood(password: str) -> None:
    url = socket_url("/data of%20 #1/valkey", user="web", password=password)
    known = Redis.from_url(url).connection_pool.connection_kwargs
    assert (known["username"], known["password"], known["path"]) == ("web", password, "/data of%20 #1/valkey")
    assert is_url_of(url, REDIS)
    assert completed(url, "") == url


def test_a_raw_sign_in_a_url_is_taken_as_its_writer_meant_it() -> None:
    assert make_url(completed("postgresql://minex:p@ss@host:1/name", "")).password == "p@ss"
    assert completed("redis://:s%40t@host/0?protocol=3", "other") == "redis://:s%40t@host/0?protocol=3"
    assert completed("postgresql:///minex?host=/run/postgresql", "") == "postgresql:///minex?host=/run/postgresql"


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("MINEX_DATABASE_URL", "mysql://minex:secret@host/minex"),
        ("MINEX_DATABASE_URL", "host=localhost password=secret"),
        ("MINEX_DATABASE_URL", "postgresql://minex:secret@host:port/minex"),
        ("MINEX_DATABASE_URL", "postgresql://minex:1#secret@host/minex"),
        ("MINEX_REDIS_URL", "http://:secret@host"),
    ],
)
def test_what_is_no_url_of_the_server_is_refused_without_being_shown(tmp_path: Path, variable: str, url: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{variable}: expected (postgresql|redis)://") as stopped:
        load(tmp_path, **{variable: url})
    assert "secret" not in str(stopped.value)


def test_a_password_without_a_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\[redis\] password: expected a \[redis\] url"):
        load(tmp_path, MINEX_REDIS_PASSWORD="x")


@pytest.mark.parametrize("role", ["owner", "reader"])
def test_each_role_has_a_url_and_a_password_and_else_they_are_those_of_the_processes(tmp_path: Path, role: str) -> None:
    known = {"MINEX_DATABASE_URL": "postgresql://minex@db/minex", "MINEX_DATABASE_PASSWORD": "one"}
    one = load(tmp_path, **known).database
    assert one.owner == one.reader == one.url == "postgresql://minex:one@db/minex"
    name = f"MINEX_DATABASE_{role.upper()}"
    more = {f"{name}_URL": f"postgresql://{role}@db/minex", f"{name}_PASSWORD": "t/wo"}
    two = load(tmp_path, **known, **more).database
    assert (two.url, getattr(two, role)) == (one.url, f"postgresql://{role}:t%2Fwo@db/minex")
    with pytest.raises(SettingsError, match=rf"\[database\] {role}_url: expected a \[database\] url as well"):
        load(tmp_path, **more)
    with pytest.raises(SettingsError, match=rf"\[database\] {role}_password: expected a \[database\] {role}_url"):
        load(tmp_path, **known, **{f"{name}_PASSWORD": "t/wo"})
