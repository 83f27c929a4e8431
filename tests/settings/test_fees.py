"""Given what trading costs, then tiers are read as words, as tables and from the environment, and nonsense is told."""

from pathlib import Path

import pytest

from settings.loading import load_settings, variables_of
from settings.values import SettingsError

TIERS = ("10000000000:4:8", "100000000000:2:5")


@pytest.mark.parametrize(
    "written",
    [
        '["10000000000:4:8", "100000000000:2:5"]',
        "[{from_volume = 10000000000, maker_bps = 4, taker_bps = 8}, "
        "{taker_bps = 5, from_volume = 100000000000, maker_bps = 2}]",
        '["10000000000:4:8", {from_volume = 100000000000, maker_bps = 2, taker_bps = 5}]',
    ],
    ids=["words", "tables", "both"],
)
def test_tiers_are_words_or_tables(tmp_path: Path, written: str) -> None:
    file = tmp_path / "exchange.toml"
    file.write_text(f"[fees]\nmaker_bps = 5\ntaker_bps = 10\ntiers = {written}\n")
    settings = load_settings(file, {})
    assert (settings.fees.maker_bps, settings.fees.taker_bps, settings.fees.tiers) == (5, 10, TIERS)
    file.write_text("")
    assert load_settings(file, variables_of(settings)).fees == settings.fees
    assert load_settings(file, {"MINEX_FEES_TIERS": ", ".join(TIERS)}).fees.tiers == TIERS


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("maker_bps = 1001", "expected a whole number from 0 to 1000"),
        ('tiers = ["100:4"]', "expected from_volume (cents), maker_bps and taker_bps"),
        ('tiers = ["100:4:1001"]', "expected from_volume (cents), maker_bps and taker_bps"),
        ('tiers = ["-1:4:4"]', "expected from_volume (cents), maker_bps and taker_bps"),
        ("tiers = [{from_volume = 1, maker_bps = 4}]", "expected tables with from_volume, maker_bps, taker_bps"),
        ('tiers = ["100:4:8", "100:4:8"]', "none twice"),
    ],
)
def test_what_is_no_fee_is_named(tmp_path: Path, written: str, said: str) -> None:
    file = tmp_path / "exchange.toml"
    file.write_text(f"[fees]\n{written}\n")
    with pytest.raises(SettingsError, match="fees") as refused:
        load_settings(file, {})
    assert said in str(refused.value)
