"""The days of an invented child as laws count them, read from the files that the product was given."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from tests.oracle.measures import UNTOLD, Oracle, together
from tests.oracle.membership import school_year_start
from tests.oracle.state_laws import STATES, Answers, Child, SchoolDay


def answers(oracle: Oracle, student: str, as_of: date) -> Answers:
    """Each measure of each state for one child on one day."""
    child = child_of(oracle, student, as_of)
    return {key: told for state in STATES.values() for key, told in state(child, as_of).items()}


def child_of(oracle: Oracle, student: str, as_of: date) -> Child:
    """This school year's days and the year before's, up to a day."""
    start = school_year_start(as_of)
    grade, born = oracle.membership.roster.people.get(student, ("", None))
    days = days_of(oracle, student, school_year_start(start - timedelta(days=1)), as_of)
    opened = [oracle.membership.open_days.get(school, set()) for school in oracle.schools_of(student)]
    taught = {day for days in opened for day in days if start <= day <= as_of}
    return Child(tuple(days), start, tuple(sorted(taught)), grade, born)


def days_of(oracle: Oracle, student: str, start: date, end: date) -> list[SchoolDay]:
    """Every day from start to end on which the child was due somewhere and attendance is known."""
    found = []
    for number in range((end - start).days + 1):
        day = start + timedelta(days=number)
        schools = oracle.schools_of(student)
        cell = together([oracle.cell(student, school, day) for school in schools])
        if cell.status == "member":
            worth, missed = Fraction(cell.weight, 1000), Fraction(cell.fraction, 1000)
            minutes, whole, why = _minutes(oracle, student, schools, day)
            found.append(
                SchoolDay(day, worth, missed, cell.excuse or "other", minutes, why or "other", whole, cell.tardy)
            )
    return found


def _minutes(oracle: Oracle, student: str, schools: list[str], day: date) -> tuple[int, bool, str]:
    """Minutes missed: the smallest share at any school, of the longest day the child was due for.

    Some minutes missed at one school say nothing while another that the child was due at has not told.
    """
    lengths, shares, told = [], [], True
    for key in schools:
        due = oracle.membership.due(student, key, day)
        if due is None:
            continue
        school = oracle.membership.roster.schools[key]
        lengths.append(due.minutes if due.minutes is not None else school.day_minutes * due.value // 1000)
        share = oracle.exact_share(student, key, day)
        told &= oracle.cell(student, key, day).status not in UNTOLD
        if share is not None:
            shares.append(share)
    least = min(shares, key=lambda share: (share[0], ("excused", "", "unknown", "unexcused").index(share[1])))
    if least[0] and not told:
        return 0, False, ""
    return -(-least[0] * max(lengths) // 1000), least[0] == 1000, least[1]
