"""Before and since, in counts of days over equal windows; too little is known is an answer of its own."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from rules.before_after import SchoolDay, around

BEGAN = date(2026, 10, 1)


def days(before: str, since: str) -> list[SchoolDay]:
    """A letter a school day: p here, A away, h half away, ? not known."""
    marks = {"p": (True, 0), "A": (True, 1000), "h": (True, 500), "?": (False, 0)}
    first = BEGAN - timedelta(days=len(before))
    return [SchoolDay(first + timedelta(days=n), *marks[mark]) for n, mark in enumerate(before + since)]


@pytest.mark.parametrize(
    ("before", "since", "counts", "better"),
    [
        ("AAAAAppppppppp" + "A" * 6, "p" * 18 + "AA", ((20, 20, 11_000), (20, 20, 2_000)), True),
        (
            "p" * 30 + "A" * 5 + "p" * 5,
            "A" * 10,
            ((10, 10, 5_000), (10, 10, 10_000)),
            False,
        ),
        ("Ahpppppppp", "Ahpppppppp", ((10, 10, 1_500), (10, 10, 1_500)), False),
        ("A" * 12, "?pp" + "p" * 9, ((12, 12, 12_000), (12, 11, 0)), True),
    ],
)
def test_equal_windows_are_counted_in_days(before, since, counts, better) -> None:
    found = around(days(before, since), BEGAN)
    assert found.before is not None and found.since is not None
    assert tuple((w.days, w.known, w.absent) for w in (found.before, found.since)) == counts
    assert found.better is better


@pytest.mark.parametrize(
    ("before", "since", "why"),
    [
        ("A" * 20, "", "no school days since it began"),
        ("A" * 20, "p" * 9, "9 school days since it began"),
        ("A" * 1, "p" * 20, "1 school day before it began"),
        ("A" * 20, "????" + "p" * 11, "not known"),
        ("A" * 20, "?" * 10, "not known"),
    ],
)
def test_it_cannot_be_told_from_too_little(before, since, why) -> None:
    found = around(days(before, since), BEGAN)
    assert (found.before, found.since, found.better) == (None, None, False)
    assert why in found.why_not
