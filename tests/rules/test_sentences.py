"""What people read about a finding: the arithmetic, the dates, the plain words of each rule."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from rules.facts import compute
from rules.findings import Inputs
from rules.policy import Policy, PolicyInForce
from rules.sentences import dates_used, describe, exit_sentence, numbers, sentence
from rules.tiers import Tier
from tests.rules.year import matrix_of

DEFAULT: PolicyInForce = Policy.preset("default").on(dt.date(2025, 9, 1))
LAST_YEAR = Inputs(prior_absent=np.array([19_000]), prior_enrolled=np.array([176_000]))


def told(rule: str, days: str) -> str:
    facts = compute(matrix_of(days))
    found = DEFAULT.rule(rule)
    return sentence(found, numbers(found, facts, LAST_YEAR, 0, facts.matrix.cells.shape[1] - 1))


@pytest.mark.parametrize(
    ("rule", "days", "words"),
    [
        ("R07", "E" * 6 + "P" * 46, "Absent 6 of 52 days (11.5%). Tier 2 starts at 10% after 20 days."),
        ("BAND", "e" * 3 + "P" * 21, "Absent 1.5 of 24 days (6.2%). Watch starts at 5% after 20 days."),
        ("R03", "PAAA", "3 days without an excuse in the last 20 days. Watch starts at 3."),
        ("R04", "EEPPP", "Absent 2 of the first 5 days. Watch starts at 2 in the first 20."),
        (
            "R05", "E" * 4 + "P" * 17,
            "Absent 4 days, and 2 months of school have begun. Watch starts at 2 for each.",
        ),
        ("R06", "P", "Absent 19 of 176 days last year (10.7%). Watch starts at 10%."),
        (
            "R16", "P" + "A" * 9,
            "9 days without an excuse in the last 10 attendance days (fewer than 180 are on record). "
            "Tier 2 starts at 9.",
        ),
        (
            "R17", "PEEHEEE",
            "Absent 5 full days in a row since Tue 19 Aug, and no contact since. Tier 3 starts at 5.",
        ),
        ("R01", "PPU", "Absent 1 school day with no reason on record. Please call or text home today."),
        (
            "R02", "PUA",
            "Absent 2 full days in a row with no reason on record. Please let an adult the family knows call.",
        ),
        (
            "R10", "P" * 20 + "e" + "P" * 19 + "EEE",
            "Absent 3 of the last 10 days, after 1.6% of the 30 days before. Watch starts at 3.",
        ),
        ("R11", "EPPPP" * 4 + "PE", "4 of 5 days absent fell on a Monday. Watch starts at 60%."),
        (
            "R11", "PPPPE" * 2 + "EPPPP" * 2 + "PE",
            "4 of 5 days absent fell beside a weekend, a holiday or a short day. Watch starts at 60%.",
        ),
        (
            "R12", "P" * 6 + "TTTT",
            "Late 4 times in the last 10 days. A talk about the way to school is asked for from 4 on.",
        ),
        (
            "R15", "P" * 38 + "AA",
            "2 days without an excuse in the last 40 attendance days (fewer than 180 are on record). Nobody is asked.",
        ),
        (
            "R18", "P" + "E" * 10,
            "Absent 10 full days in a row since Tue 19 Aug, and no contact since. The search starts at 10.",
        ),
        (
            "R19", "P" + "A" * 15,
            "Absent 15 full days in a row without an excuse. Please go through the supports offered; do not withdraw.",
        ),
        (
            "R21", "P" + "E" * 10 + "P",
            "Back after 10 full days absent in a row. Please say welcome and plan the make-up work.",
        ),
        ("R20", "AA", "Enrolled for 2 school days and not seen yet. Please find out where the student is."),
        ("R22", "PEE", "Absent 2 of the last 20 days. Please check transport, uniform and fees."),
    ],
)  # fmt: skip
def test_each_rule_says_what_it_counted(rule: str, days: str, words: str) -> None:
    assert told(rule, days) == words


def test_steps_down_say_why() -> None:
    facts = compute(matrix_of("EEE" + "P" * 29))
    assert exit_sentence(DEFAULT, Tier.TWO, facts, Inputs(), 0, 31) == (
        "Absent 1 of the last 30 days (3.3%), under 5%, so support steps from Tier 2 to Watch."
    )
    assert exit_sentence(DEFAULT, Tier.THREE, facts, Inputs(), 0, 20) == (
        "Absent 3 of the last 21 days (14.2%), under 8%, so support steps from Tier 3 to Tier 2."
    )
    assert exit_sentence(DEFAULT, Tier.WATCH, facts, Inputs(), 0, 31) == (
        "Absent 0 of the last 20 days, so support steps from Watch to Tier 1."
    )


@pytest.mark.parametrize(
    ("rule", "days", "columns"),
    [
        ("R07", "EPaPE", [0, 2, 4]),
        ("R03", "EAaP", [1, 2]),
        ("R03", "A" + "P" * 19 + "A", [20]),
        ("R04", "E" + "P" * 19 + "E", [0]),
        ("R17", "EPEHE", [2, 4]),
        ("R17", "EP", []),
        ("R06", "E", []),
        ("R01", "AaqUa", [3, 4]),
        ("R02", "AEAHU", [2, 4]),
        ("R19", "AEAA", [2, 3]),
        ("R21", "EPEHEP", [2, 4]),
        ("R11", "EPPPP" * 4 + "PE", [0, 5, 10, 15]),
        ("R11", "PPPPE" * 2 + "EPPPP" * 2 + "PE", [4, 9, 10, 15]),
        ("R11", "PE.EPPPPPPE.E", [1, 3, 10, 12]),
    ],
)
def test_the_days_a_rule_counted(rule: str, days: str, columns: list[int]) -> None:
    matrix = matrix_of(days)
    facts = compute(matrix)
    expected = [matrix.days[col].astype(dt.date) for col in columns]
    assert dates_used(matrix, facts, 0, len(days) - 1, DEFAULT.rule(rule)) == expected


def test_the_truancy_window_uses_last_year_too() -> None:
    matrix = matrix_of("A" * 3 + "P" * 4, first=3)
    assert len(dates_used(matrix, compute(matrix), 0, 6, DEFAULT.rule("R16"))) == 3
    assert dates_used(matrix, compute(matrix), 0, 6, DEFAULT.rule("R07")) == []


def test_rules_in_plain_words() -> None:
    assert describe(DEFAULT.rule("R08")) == (
        "Tier 3 when absent 20% or more of this year's days, with at least 5 days absent, once enrolled for 20 days."
    )
    assert describe(DEFAULT.rule("R06")) == (
        "Watch when absent 10% or more of last year's days, and Tier 2 from the day “Early pace” (R04) or "
        "“On pace to chronic absence” (R05) is met as well."
    )
    assert all(describe(rule).endswith(".") for rule in DEFAULT.rules)
