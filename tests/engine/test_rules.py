"""Rules and the checks that the entry of orders shares with the book. Prices in cents."""

import pytest

from engine import Rules, band_limits, check_price, check_quantity
from engine.terms.codes import MESSAGES, REASONS
from engine.terms.rules import NO_LIMIT


@pytest.mark.parametrize(
    ("reference", "band_bps", "tick", "limits"),
    [
        (1000, 1000, 1, (900, 1100)),
        (1000, 1000, 50, (900, 1100)),
        (1003, 1000, 5, (905, 1100)),
        (999, 1000, 1, (900, 1098)),
        (1, 1000, 1, (1, 1)),
        (100, 9999, 1, (1, 199)),
        (1000, 1, 1, (1000, 1000)),
        (7, 5000, 5, (5, 10)),
        (7, 100, 5, (10, 5)),
        (1, 9999, 5, (5, 0)),
        (0, 1000, 5, (5, 0)),
        (None, 1000, 5, (5, NO_LIMIT)),
        (1000, 0, 5, (5, NO_LIMIT)),
        (10**15, 1000, 1, (9 * 10**14, 11 * 10**14)),
    ],
)
def test_band_limits_are_inclusive_and_rounded_inward(reference, band_bps, tick, limits):
    assert band_limits(reference, band_bps, tick) == limits


def test_band_limits_are_the_outermost_ticks_inside():
    for reference in range(1, 300, 7):
        for band_bps in (1, 99, 500, 1000, 3333, 9999):
            for tick in (1, 3, 10):
                inside = [p for p in range(tick, 700, tick) if abs(p - reference) * 10_000 <= reference * band_bps]
                lowest, highest = band_limits(reference, band_bps, tick)
                assert [p for p in range(tick, 700, tick) if lowest <= p <= highest] == inside


@pytest.mark.parametrize(
    ("price", "code"),
    [
        (905, None),
        (1100, None),
        (None, "invalid_price"),
        (0, "invalid_price"),
        (-5, "invalid_price"),
        (2**63, "invalid_price"),
        (1001, "off_tick"),
        (900, "price_outside_band"),
        (1105, "price_outside_band"),
    ],
)
def test_check_price(price, code):
    assert check_price(price, 5, 905, 1100) == code


def test_every_price_from_one_cent_to_the_largest_number_is_good_without_a_band():
    assert [check_price(price, 1, 1, NO_LIMIT) for price in (1, NO_LIMIT)] == [None, None]


@pytest.mark.parametrize(
    ("quantity", "code"),
    [(100, None), (300, None), (0, "invalid_quantity"), (-100, "invalid_quantity"), (50, "off_lot")],
)
def test_check_quantity(quantity, code):
    assert check_quantity(quantity, 100) == code


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tick": 0}, "the tick and the lot must be at least 1"),
        ({"lot": 0}, "the tick and the lot must be at least 1"),
        ({"band_bps": -1}, "a band must be from 0 to 9999 basis points"),
        ({"band_bps": 10_000}, "a band must be from 0 to 9999 basis points"),
        ({"dynamic_band_bps": -1}, "a band must be from 0 to 9999 basis points"),
        ({"dynamic_band_bps": 10_000}, "a band must be from 0 to 9999 basis points"),
        ({"band_reference": "first"}, "the band's reference must be one of session, last"),
        ({"execution_price": "buyer"}, "the execution price must be one of maker, seller"),
        (
            {"stp": "cancel_all"},
            "self-trade prevention must be one of none, cancel_resting, cancel_incoming, cancel_both, decrement",
        ),
    ],
)
def test_rules_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Rules(**wrong)


def test_the_widest_bands_there_are():
    assert Rules(band_bps=9999, dynamic_band_bps=9999).dynamic_band_bps == 9999


def test_the_rules_of_a_stock_that_says_nothing():
    assert Rules() == Rules(tick=1, lot=1, band_bps=0, execution_price="maker", stp="cancel_resting")


def test_every_code_has_a_sentence():
    for code, sentence in {**MESSAGES, **REASONS}.items():
        assert code == code.lower().replace(" ", "_")
        assert sentence.endswith(".")
