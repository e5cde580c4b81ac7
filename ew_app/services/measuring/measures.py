"""The published numbers: one row a student (or a student and school), and counts by tier. Computed, never stored.

Columns and words are those of the command line's contract; days are decimals, rates floored at one decimal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from ew_app.kernel import NotFound, Refused
from ew_app.services.measuring import counted, hindsight
from ew_app.services.measuring.counted import chunks
from ew_app.services.measuring.frames import Frame, frame
from ew_app.services.measuring.judging import Judged, covered_at_schools, judge
from ew_app.services.measuring.policies import timeline
from models.queries import measuring, naming
from models.queries.measuring import EPOCH
from rules import facts as fact_tables
from rules.tiers import Band, Tier, band, days_text, rate_text, rate_tier, too_early

TIERS = ("tier_1", "watch", "tier_2", "tier_3", "none")
LEVELS = ("district", "network", "school", "grade")
MEASURES = (
    "as_of",
    "data_through",
    "policy_version",
    "enrolled_days",
    "absent_days",
    "excused_days",
    "unexcused_days",
    "tardies",
    "absence_rate",
    "band",
    "tier",
    "too_early",
    "missing_days",
    "unknown_days",
    "federal_absent_days",
    "streak_now",
    "rate_tier",
    "tier_min",
    "tier_max",
)


def measures(
    as_of: date | None = None,
    *,
    scope: str = "student",
    student: str | None = None,
    known_at: datetime | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows of `ew measures`, everyone with an enrolment in the school year, ordered by student (and school).

    With `known_at` from what had been loaded by then.
    """
    with hindsight.known_at(known_at, student):
        return _measures(as_of, scope, student) if known_at is None else iter(list(_measures(as_of, scope, student)))


def measures_page(
    as_of: date | None = None,
    *,
    scope: str = "student",
    within: Collection[int] | None = None,
    after: int = 0,
    most: int = counted.CHUNK,
    known_at: datetime | None = None,
) -> tuple[list[dict[str, Any]], int | None]:
    """The same rows of the next `most` students after number `after`, and the number to go on after; None at the end.

    `within`: only these students; None for everybody.
    """
    with hindsight.known_at(known_at):
        at = frame(as_of)
        found = measuring.students_between(at.start, at.day)
        found = found[found > after]
        if within is not None:
            found = found[np.isin(found, np.fromiter(within, dtype=np.int64))]
        students = [int(number) for number in found[:most]]
        return list(_of(students, at, scope)), students[-1] if len(found) > most else None


def _measures(as_of: date | None, scope: str, student: str | None) -> Iterator[dict[str, Any]]:
    at = frame(as_of)
    return _of(_wanted(at, student), at, scope)


def _of(students: list[int], at: Frame, scope: str) -> Iterator[dict[str, Any]]:
    keys, schools = naming.student_keys(students), naming.school_keys()
    for chunk in chunks(students):
        judged = judge(chunk, at)
        if judged is None:
            yield from ({"student_id": keys[number], **row} for number, row in _nothing_known(chunk, at, scope))
            continue
        for student_id, row in _by_school(judged, schools) if scope == "school" else _by_student(judged):
            yield {"student_id": keys[student_id], **row}


def tiers(
    as_of: date | None = None,
    *,
    by: str = "district",
    known_at: datetime | None = None,
    schools: Collection[int] | None = None,
    on_the_day: bool = False,
) -> list[dict[str, Any]]:
    """Rows of `ew tiers`: students at their primary school by tier, each school as of its last counted school day.

    A school that is behind stands as it stood on its own last day, with the students it had then: the same numbers as
    on the boards. One that never sent anything stands as of the day asked, in no tier. `on_the_day`: every school with
    whoever is enrolled on the day asked, as far as their marks are in; the command tells a named day like this.
    `schools`: only whoever was enrolled at one of these is looked at, so that rows of other schools are not whole.
    """
    if by not in LEVELS:
        raise Refused(f"Counts are by {', '.join(LEVELS)}; not by {by}.")
    with hindsight.known_at(known_at):
        return _tiers(as_of, by, schools, on_the_day)


def _tiers(as_of: date | None, by: str, schools: Collection[int] | None, on_the_day: bool) -> list[dict[str, Any]]:
    at = frame(as_of)
    places = naming.places()
    counts: dict[tuple[Any, ...], Counter[str]] = {}
    for judged, here in counted.everybody(at, schools, on_the_day=on_the_day):
        _count(judged, here, by, places, counts)
    names = {"district": (), "network": ("network_id",), "school": ("network_id", "school_id"), "grade": ("grade",)}
    return [_tier_row(dict(zip(names[by], key, strict=True)), counts[key], at, by) for key in sorted(counts)]


def bands(as_of: date) -> dict[str, Counter[str]]:
    """School key -> students at their primary school by the band of their rate, counted as `tiers` counts them."""
    places = naming.places()
    counts: dict[str, Counter[str]] = {}
    for judged, here in counted.everybody(frame(as_of)):
        for row in here:
            school = places[int(judged.year.school[row])][1]
            counts.setdefault(school, Counter())[str(judged.standing.band[row])] += 1
    return counts


def measure_of(judged: Judged) -> dict[str, Any]:
    """The row of the only student that was judged."""
    return next(row for _, row in _by_student(judged))


def at_each_school(judged: Judged) -> tuple[dict[str, Any], ...]:
    """The rows of the only student that was judged at each of their schools."""
    return tuple(row for _, row in _by_school(judged, naming.school_keys()))


def rate_tiers_at(judged: Judged, school: int) -> list[tuple[int, int]]:
    """(tier by the rate of all days, tier by the rate of the days at this school) of each student who was there."""
    facts, last = fact_tables.compute(judged.year.by_school), judged.last
    enrolled, absent = facts.enrolled[:, last], facts.absent[:, last]
    alone = rate_tier(judged.policy, enrolled, absent, covered_at_schools(judged))
    here = judged.year.by_school
    assert here.schools is not None
    whole = np.searchsorted(judged.students, here.students)
    there = np.flatnonzero(here.schools == school)
    return list(zip(judged.standing.rate_tier[whole[there]].tolist(), alone[there].tolist(), strict=True))


def _wanted(at: Frame, student: str | None) -> list[int]:
    if student is None:
        return [int(found) for found in measuring.students_between(at.start, at.day)]
    found = naming.student_id(student)
    if found is None:
        raise NotFound(f"There is no student {student}.")
    return [found]


def _nothing_known(students: list[int], at: Frame, scope: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of students none of whose schools has a calendar: enrolled, and not a single day to measure."""
    none = dict.fromkeys(MEASURES, "0") | dict.fromkeys(("tier", "rate_tier", "tier_min", "tier_max"), Tier.NONE.text)
    none |= {"as_of": str(at.as_of or at.day), "policy_version": timeline().on(at.day).version}
    none |= {"data_through": "", "absence_rate": "", "band": Band.NONE.value, "too_early": "true"}
    return ((student, none) for student in students if scope == "student")


def _by_student(judged: Judged) -> Iterable[tuple[int, dict[str, Any]]]:
    standing, last, facts = judged.standing, judged.last, judged.facts
    for row, student in enumerate(judged.students.tolist()):
        own = {
            "as_of": str(_told_until(judged, row)),
            "tier": _tier(standing.tier[row]),
            "rate_tier": _tier(standing.rate_tier[row]),
            "tier_min": _tier(standing.tier_min[row]),
            "tier_max": _tier(standing.tier_max[row]),
            "too_early": _bool(standing.too_early[row]),
            "band": str(standing.band[row]),
        }
        yield student, _measure(judged, facts, row, last, int(judged.year.school[row]), own)


def _by_school(judged: Judged, schools: dict[int, str]) -> Iterable[tuple[int, dict[str, Any]]]:
    """The same measures on the days at each school; the tier stays the student's."""
    facts, last = fact_tables.compute(judged.year.by_school), judged.last
    enrolled, absent = facts.enrolled[:, last], facts.absent[:, last]
    today = covered_at_schools(judged)
    alone, bands, early = (
        rate_tier(judged.policy, enrolled, absent, today),
        band(enrolled, absent),
        too_early(judged.policy, enrolled, today),
    )
    whole = dict(zip(judged.students.tolist(), range(len(judged.students)), strict=True))
    here = judged.year.by_school
    assert here.schools is not None
    for row, (student, school) in enumerate(zip(here.students.tolist(), here.schools.tolist(), strict=True)):
        of_student = whole[student]
        own = {
            "tier": _tier(judged.standing.tier[of_student]),
            "rate_tier": _tier(alone[row]),
            "tier_min": _tier(judged.standing.tier_min[of_student]),
            "tier_max": _tier(judged.standing.tier_max[of_student]),
            "too_early": _bool(early[row]),
            "band": str(bands[row]),
        }
        yield student, {"school_id": schools[school], **_measure(judged, facts, row, last, school, own)}


def _measure(judged: Judged, facts: Any, row: int, col: int, school: int, own: dict[str, str]) -> dict[str, Any]:
    through = judged.year.frame.data_through(school)
    enrolled, absent = int(facts.enrolled[row, col]), int(facts.absent[row, col])
    found = {
        "as_of": str(judged.year.frame.as_of or through or judged.year.frame.day),
        "data_through": str(through or ""),
        "policy_version": judged.policy.version,
        "enrolled_days": days_text(enrolled),
        "absent_days": days_text(absent),
        "excused_days": days_text(int(facts.excused[row, col])),
        "unexcused_days": days_text(int(facts.unexcused[row, col])),
        "tardies": str(facts.tardies[row, col]),
        "absence_rate": rate_text(enrolled, absent),
        "missing_days": str(facts.missing_days[row, col]),
        "unknown_days": str(facts.unknown_days[row, col]),
        "federal_absent_days": days_text(int(facts.federal_absent[row, col])),
        "streak_now": str(facts.streak[row, col]),
    } | own
    return {name: found[name] for name in MEASURES}


def _told_until(judged: Judged, row: int) -> date:
    """The day up to which a student was counted: of one who moved, also the days at a school that has told more."""
    at, told = judged.year.frame, int(judged.year.told_until[row])
    days = [at.data_through(int(judged.year.school[row])), EPOCH + timedelta(days=told) if told > 0 else None]
    return at.as_of or max((day for day in days if day), default=at.day)


def _tier(number: Any) -> str:
    return Tier(int(number)).text


def _bool(value: Any) -> str:
    return "true" if value else "false"


def _count(
    judged: Judged, here: list[int], by: str, places: dict[int, tuple[str, str]],
    counts: dict[tuple[Any, ...], Counter[str]],
) -> None:  # fmt: skip
    year, standing = judged.year, judged.standing
    for row in here:
        network, school = places[int(year.school[row])]
        key = {"district": (), "network": (network,), "school": (network, school), "grade": (year.grade[row],)}[by]
        count = counts.setdefault(key, Counter())
        count["students"] += 1
        count[_TIER_COLUMN[Tier(int(standing.tier[row]))]] += 1
        count["too_early"] += bool(standing.too_early[row])
        count[f"school {year.school[row]}"] += 1


_TIER_COLUMN = {Tier.NONE: "none", Tier.ONE: "tier_1", Tier.WATCH: "watch", Tier.TWO: "tier_2", Tier.THREE: "tier_3"}


def _tier_row(key: dict[str, Any], count: Counter[str], at: Frame, by: str) -> dict[str, Any]:
    """One row of counts; `data_through` is the earliest among its schools, so that no figure claims too much."""
    through = [at.data_through(int(name.removeprefix("school "))) for name in count if name.startswith("school ")]
    known = [day for day in through if day]
    return {
        **key,
        "students": count["students"],
        **{name: count[name] for name in TIERS},
        "too_early": count["too_early"],
        "data_through": str(min(known)) if known and len(known) == len(through) else "",
    }
