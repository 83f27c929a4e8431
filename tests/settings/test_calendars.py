"""Given the code of an exchange for its closing days, then it is a known one, and only who gives one waits for that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from settings.loading import ROOT, load_settings, variables_of
from settings.sections import Settings
from settings.values import SettingsError

LOAD = """
import sys
from services.stocks.schedule import phase_at
from settings.loading import load_settings
from datetime import UTC, datetime
phase_at(load_settings().session, datetime.now(UTC))
print("holidays" in sys.modules)
"""


def load(folder: Path, text: str, **environment: str) -> Settings:
    file = folder / "exchange.toml"
    file.write_text(text)
    return load_settings(file, environment)


@pytest.mark.parametrize("code", ["B3", "BVMF", "NYSE", "XNYS", "XNAS", "XETR", "XLON", "LSE", "XJPX", "ENX", "XPAR"])
def test_an_exchange_has_the_codes_that_the_world_knows_it_by(tmp_path: Path, code: str) -> None:
    assert load(tmp_path, f'[session]\ncalendar = "{code}"\n').session.calendar == code
    assert load(tmp_path, "", MINEX_SESSION_CALENDAR=code).session.calendar == code


def test_each_market_has_its_own_and_otherwise_that_of_all(tmp_path: Path) -> None:
    text = """
        [session]
        schedule = "daily"
        calendar = "B3"
        [session.wall_street]
        calendar = "NYSE"
        [session.options]
        close = "18:00"
        [session.training]
        calendar = ""
    """
    settings = load(tmp_path, text)
    markets = ("main", "wall_street", "options", "training")
    assert [settings.session_of(market).calendar for market in markets] == ["B3", "NYSE", "B3", ""]
    assert load_settings(tmp_path / "exchange.toml", variables_of(settings)) == settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[session]\ncalendar = "XNYC"',
            "exchange.toml: [session] calendar = 'XNYC': expected the code of",
        ),
        ('[session]\ncalendar = "XNYC"', "; did you mean 'XNYS'?"),
        ('[session]\ncalendar = "nyse"', "; did you mean 'NYSE', 'NSE' or 'XNYS'?"),
        ('[session]\ncalendar = "b3"', "; did you mean 'B3'?"),
        (
            '[session]\ncalendar = "Brazil"',
            "[session] calendar = 'Brazil': expected the code of an exchange, such as",
        ),
        ('[session]\ncalendar = "US"', "[session] calendar = 'US': expected the code"),
        ('[session]\ncalendar = "HolidayBase"', "[session] calendar = 'HolidayBase': expected the code"),
        ("[session]\ncalendar = 3", "[session] calendar = 3: expected text"),
        ('[session.paris]\ncalendar = "XPAI"', "[session.paris] calendar = 'XPAI': expected the code of an exchange"),
        ('[session]\nschedule = "always_open"\ncalendar = "XNYC"', "[session] calendar = 'XNYC': expected the code"),
    ],
)
def test_an_unknown_exchange_stops_the_start_with_those_that_are_near(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as stopped:
        load(tmp_path, text)
    assert said in str(stopped.value)
    assert "\n" not in str(stopped.value)


def test_the_variable_is_named_where_it_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^MINEX_SESSION_CALENDAR = 'XLOM': .*; did you mean 'XLON' or 'XBOM'\?$"):
        load(tmp_path, "", MINEX_SESSION_CALENDAR="XLOM")


@pytest.mark.parametrize(("calendar", "is_loaded"), [("", "False"), ("B3", "True")])
def test_the_library_is_loaded_only_where_there_is_a_calendar(tmp_path: Path, calendar: str, is_loaded: str) -> None:
    file = tmp_path / "exchange.toml"
    file.write_text(f'[session]\nschedule = "daily"\ncalendar = "{calendar}"\n')
    program, environment = [sys.executable, "-c", LOAD], {"MINEX_CONFIG": str(file)}
    asked = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert asked.stdout.split() == [is_loaded]
