"""Settings: the file first, then the environment; a wrong one stops the start with one line that says where."""

from pathlib import Path

import pytest

from settings.loading import ROOT, load_settings, variables_of
from settings.sections import Settings, TradingSchedule
from settings.values import SettingsError


def load(folder: Path, text: str, **environment: str) -> Settings:
    path = folder / "exchange.toml"
    path.write_text(text)
    return load_settings(path, environment)


def test_the_commented_file_says_the_defaults() -> None:
    assert load_settings(ROOT / "exchange.toml", {}) == Settings()


def test_the_environment_overrules_the_file(tmp_path: Path) -> None:
    text = '[web]\nport = 1\n[session]\nschedule = "daily"\n'
    settings = load(tmp_path, text, MINEX_WEB_PORT="2", MINEX_SESSION_DAYS="mon,tue", MINEX_DEBUG="yes")
    assert (settings.web.port, settings.session.schedule, settings.session.days) == (2, "daily", ("mon", "tue"))
    assert settings.exchange.debug


def test_a_child_process_sees_the_same(tmp_path: Path) -> None:
    settings = load(tmp_path, '[session]\nclose = "18:00"\nholidays = ["2026-12-25"]\n[match]\ngroups = ["A", "B"]\n')
    assert load(tmp_path, "", **variables_of(settings)) == settings


def test_a_market_of_its_own_says_only_what_is_different(tmp_path: Path) -> None:
    settings = load(tmp_path, '[session]\nopen = "11:00"\n[session.B3]\nschedule = "daily"\nclose = "18:00"\n')
    assert settings.session == TradingSchedule(open="11:00")
    assert settings.session_of("B3") == TradingSchedule(schedule="daily", open="11:00", close="18:00")
    assert settings.session_of("main") == settings.session_of("unheard of") == settings.session


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[web]\nport = -1", "[web] port = -1: expected a whole number from 0 to 65535"),
        ("[web]\nprot = 1", "[web] has no key 'prot'; did you mean 'port'?"),
        ("[wbe]\nport = 1", "unknown section [wbe]; did you mean [web]"),
        ('[session]\nschedule = "weekly"', "[session] schedule = 'weekly': expected always_open, daily"),
        ('[session]\nopen = "25:00"', "[session] open = '25:00': expected a time such as 09:30"),
        ('[session]\nopen = "9:00"', "expected a time such as 09:30"),
        ('[session]\ntimezone = "Mars/Base"', "expected a time zone such as America/Sao_Paulo"),
        ('[session]\ntimezone = "../etc"', "expected a time zone"),
        ('[session]\ndays = ["monday"]', "expected days out of mon, tue"),
        ('[session]\nholidays = ["25.12.2026"]', "expected dates such as 2026-12-25"),
        ('[session]\nopen = "09:00"', "expected pre_open < opening_auction < open < closing_auction < close"),
        ('[session]\nopen = "16:54:50"', "the opening auction would end after the closing auction has begun"),
        (
            '[session]\nclose = "23:59"\nrandom_end_seconds = 3600',
            "[session]: the closing auction could end after midnight: expected close + random_end_seconds before 24:00",
        ),
        ('[session]\nclose = "23:30"\nrandom_end_seconds = 1800', "the closing auction could end after midnight"),
        ('[session.B3]\nclose = "23:59:30"', "[session.B3]: the closing auction could end after midnight"),
        ('[session.B3]\nshedule = "daily"', "[session.B3] has no key 'shedule'; did you mean 'schedule'?"),
        ('[session.B3]\nclose = "1"', "[session.B3] close = '1': expected a time"),
        ("[match]\ngroups = []", "[match] groups = '': expected 1 or more words, none twice"),
        ('[match]\ngroups = ["A", "A"]', "[match] groups = 'A,A': expected 1 or more words, none twice"),
        ('[match]\ngroups = ["A B;c"]', "[match] groups = 'A B;c': expected names of 1 to 32 letters"),
        ('[match]\ngroups = ["A/B"]', "expected names of 1 to 32 letters"),
        ('[match]\ngroups = ["A", ""]', "expected names of 1 to 32 letters"),
        ("[market.B3]\ntick_size = 1", "[market] has no key 'B3'"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as stopped:
        load(tmp_path, text)
    assert said.replace("[web]", "[web]") in str(stopped.value).replace("'web'", "[web]")
    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize("groups", ["", ",", "A,A", "A,B C", "é", "A" * 33])
def test_groups_of_the_environment_are_looked_at_as_well(tmp_path: Path, groups: str) -> None:
    with pytest.raises(SettingsError, match="MINEX_MATCH_GROUPS = "):
        load(tmp_path, "", MINEX_MATCH_GROUPS=groups)


def test_an_unknown_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MINEX_WEB_PROT: no such setting; did you mean 'MINEX_WEB_PORT'"):
        load(tmp_path, "", MINEX_WEB_PROT="1")


def test_faults_are_for_a_sandbox(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^MINEX_FAULT: .* debug = true"):
        load(tmp_path, "", MINEX_FAULT="before_commit:kill")
    assert load(tmp_path, "", MINEX_FAULT="before_commit:kill", MINEX_DEBUG="true").exchange.debug


@pytest.mark.parametrize(
    "place", ["[database]\npassword", "[redis]\npassword", "[exchange]\nadmin_key", "[redis]\nurl"]
)
def test_a_secret_that_is_no_text_is_not_repeated(tmp_path: Path, place: str) -> None:
    with pytest.raises(SettingsError, match="expected text") as refused:
        load(tmp_path, f"{place} = 4207114207\n")
    assert "4207114207" not in str(refused.value)
