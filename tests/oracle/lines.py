"""Students on the lines between two bands, or below one by less than rounding would show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from random import Random

from tests.oracle.measures import Measures, Oracle
from tests.oracle.membership import school_year_start
from tests.oracle.rows import Row

ONE_IN = (20, 10, 5)
ROUNDED = ((1, 61), (2, 62))
"""To how many decimals of a percent somebody might round before comparing, and the case that says not to."""
MOST = 12  # students for each line


def cases(of: Measures) -> Iterator[int]:
    """The numbers of the cases that these measures are an example of."""
    if not of.enrolled:
        return
    rate = Fraction(100 * of.absent, of.enrolled)
    for line in (Fraction(100, one_in) for one_in in ONE_IN):
        if rate == line:
            yield 5
        for places, case in ROUNDED:
            rounded = (rate * 10**places + Fraction(1, 2)) // 1
            if rate < line and rounded >= line * 10**places:
                yield case


def rows_to_the_lines(oracle: Oracle, schools: tuple[str, ...], as_of: date, chance: Random) -> list[Row]:
    """A file that brings some students exactly to a line, others to a hair below it."""
    keys = sorted({stint.student for key in schools for stint in oracle.membership.at_school.get(key, ())})
    alone = [key for key in keys if len(oracle.schools_of(key)) == 1 and key not in oracle.standing.same.values()]
    rows: list[Row] = []
    for number, student in enumerate(chance.sample(alone, min(len(alone), MOST * len(ONE_IN)))):
        enrolled = oracle.of_student(student, as_of).enrolled
        short = (0, 1, enrolled // 4000)[number % 3]
        target = enrolled // ONE_IN[number // 3 % 3] - short
        rows += _to(oracle, student, as_of, target)
    return rows


def _to(oracle: Oracle, student: str, as_of: date, target: int) -> list[Row]:
    """Rows after which the student has missed so many thousandths of days, as far as whole school days allow it."""
    (school,) = oracle.schools_of(student)
    start = school_year_start(as_of)
    days = [start + timedelta(days=n) for n in range((as_of - start).days + 1)]
    known = {day: oracle.cell(student, school, day) for day in days}
    whole = [day for day, cell in known.items() if cell.status == "member" and cell.weight == 1000]
    left = target - sum(cell.absent for day, cell in known.items() if cell.status == "member" and day not in whole)
    rows = []
    for day in whole:
        part = max(0, min(left, 1000))
        left -= part
        row = Row(student, school, day, "A" if part else "P")
        rows.append(replace(row, fraction=part) if 0 < part < 1000 else row)
    return rows
