"""Bands and texts: integers decide on the line, and nothing is rounded up to one."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.tiers import Tier, band, days_text, rate_text


@pytest.mark.parametrize(
    ("enrolled", "absent", "name", "rate"),
    [
        (0, 0, "none", ""), (1000, 0, "satisfactory", "0.0"), (20_000, 1000, "at_risk", "5.0"),
        (20_000, 999, "satisfactory", "4.9"), (20_000, 2000, "moderate", "10.0"),
        (20_000, 1999, "at_risk", "9.9"), (20_000, 4000, "severe", "20.0"),
        (20_000, 3999, "moderate", "19.9"), (52_000, 6000, "moderate", "11.5"), (1000, 1000, "severe", "100.0"),
    ],
)  # fmt: skip
def test_bands_and_rates_on_the_line(enrolled: int, absent: int, name: str, rate: str) -> None:
    assert band([enrolled], [absent]).tolist() == [name]
    assert rate_text(enrolled, absent) == rate


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_a_shown_rate_never_crosses_its_band(enrolled: int, absent: int) -> None:
    absent = min(absent, enrolled)
    shown, true = Fraction(rate_text(enrolled, absent)), Fraction(100 * absent, enrolled)
    assert 0 <= true - shown < Fraction(1, 10)
    for line in (5, 10, 20):
        assert (shown >= line) == (true >= line)


@pytest.mark.parametrize(
    ("mils", "text"),
    [(0, "0"), (1000, "1"), (1500, "1.5"), (333, "0.333"), (52_250, "52.25"), (10_000, "10")],
)
def test_days_have_up_to_three_places(mils: int, text: str) -> None:
    assert days_text(mils) == text


def test_tiers_as_files_write_them() -> None:
    assert [tier.text for tier in Tier] == ["none", "1", "watch", "2", "3"]
