"""What was known on an evening stays so, whatever is said later; and a model is asked what it was taught."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest

from ew_app.services.deciding import flagging
from ew_app.services.risk import calendar, evenings, looking, packed, year_ends
from rules.risk.features import COLUMN, features
from tests.services import risk_district
from tests.services.lincoln_and_carver import query
from tests.services.risk_district import District, evening_of, run, school_days

pytestmark = pytest.mark.usefixtures("app")
DAYS = school_days(2025)
T = DAYS[39]  # the fortieth school day
NOBODY = np.zeros(0, dtype=np.int64)


def year(start: int = 2025) -> calendar.SchoolYear:
    return next(one for one in calendar.completed(date(2026, 9, 1)) if one.start.year == start)


def looked(made: District, day: date = T, start: int = 2025) -> looking.Looked:
    found = evenings.evening(np.array(made.students, dtype=np.int64), year(start), day)
    assert found is not None
    return looking.look(found, date(start, 7, 1), NOBODY)


def told(made: District) -> bytes:
    """The features of everybody on that evening, as bytes."""
    return features(looked(made).known).tobytes()


def one_mark(made: District, day: date, code: str, *, student: int = 0, received: date, modified: date | None) -> None:
    who = made.students[student]
    run(
        """
        INSERT INTO mark (school_id, student_id, day, period, source_id, code, batch_id, file, line, last_modified,
                          recorded_at)
        SELECT :school, :who, :day, '', s.id, :code, b.id, 0, 2, :modified, :received FROM source s, batch b LIMIT 1
        ON CONFLICT (school_id, day, student_id, period, source_id) DO UPDATE SET code = 'T'
        """,
        school=made.school_of[who], who=who, day=day, code=code, received=evening_of(received),
        modified=evening_of(modified) if modified else None,
    )  # fmt: skip


def corrected(made: District, *, code: str, received: date, modified: date) -> None:
    """Every absence of the first forty days is corrected: what stood goes into history."""
    run(
        """
        INSERT INTO mark_history (school_id, student_id, day, period, source_id, code, batch_id, file, line,
                                  last_modified, recorded_at, ended, ended_by, ended_at)
        SELECT school_id, student_id, day, period, source_id, code, batch_id, file, line, last_modified, recorded_at,
               'superseded', batch_id, :received FROM mark WHERE day BETWEEN :first AND :t AND code IN ('A', 'E')
        """,
        first=DAYS[0], t=T, received=evening_of(received),
    )  # fmt: skip
    run(
        """
        UPDATE mark SET code = :code, last_modified = :modified, recorded_at = :received
        WHERE day BETWEEN :first AND :t AND code IN ('A', 'E')
        """,
        first=DAYS[0], t=T, code=code, received=evening_of(received), modified=evening_of(modified),
    )  # fmt: skip


def exits(made: District) -> None:
    """A roster of a later day says that a student had left before the evening."""
    later = evening_of(T + timedelta(days=3))
    run(
        """
        INSERT INTO row_history (batch_id, table_name, row_key, before, at)
        SELECT 1, 'stint', jsonb_build_object('id', id), to_jsonb(stint), :at FROM stint WHERE student_id = :who
        """,
        at=later, who=made.students[3],
    )  # fmt: skip
    run("UPDATE stint SET exit_date = :day WHERE student_id = :who", day=DAYS[30], who=made.students[3])


def code_mapped_anew(_: District) -> None:
    """From a later day on the district says that E stands for nothing missed."""
    run(
        """
        INSERT INTO row_history (batch_id, table_name, row_key, before, at)
        SELECT 1, 'absence_code', jsonb_build_object('id', id), to_jsonb(absence_code), :at FROM absence_code
        WHERE code = 'E'
        """,
        at=evening_of(T + timedelta(days=30)),
    )  # fmt: skip
    run("UPDATE absence_code SET kind = 'present', absent_fraction = 0 WHERE code = 'E'")


def days_fall_out(_: District) -> None:
    """No school on the ten days after; they had been planned."""
    run("DELETE FROM calendar_day WHERE day > :t AND day < :later", t=T, later=T + timedelta(days=14))


LATER, NEXT_MONTH = T + timedelta(days=1), T + timedelta(days=30)
AFTERWARDS: dict[str, Callable[[District], None]] = {
    "a mark of the next day": lambda made: one_mark(made, DAYS[40], "A", received=DAYS[40], modified=DAYS[40]),
    "marks of a later month": lambda made: run("UPDATE mark SET code = 'A' WHERE day > :t AND day < '2026-07-01'", t=T),
    "others' later marks": lambda made: one_mark(made, DAYS[60], "A", student=5, received=DAYS[60], modified=DAYS[60]),
    "days that fall out later": days_fall_out,
    "a correction of earlier days": lambda made: corrected(made, code="T", received=LATER, modified=LATER),
}
ONLY_LIVE: dict[str, Callable[[District], None]] = {
    "an exit told of later": exits,
    "a code that is mapped anew": code_mapped_anew,
    "an earlier day's mark that comes later": lambda made: one_mark(
        made, DAYS[20], "A", student=7, received=NEXT_MONTH, modified=None
    ),
}


@pytest.mark.parametrize("live", [True, False], ids=["followed", "loaded afterwards"])
def test_whatever_is_said_later_changes_no_byte_of_what_was_known(live: bool) -> None:
    made = risk_district.build(years=(2024, 2025), each=12, afterwards=() if live else (2024, 2025))
    assert year().live is live
    before = told(made)
    for what, happens in (AFTERWARDS | (ONLY_LIVE if live else {})).items():
        happens(made)
        assert told(made) == before, what
    assert features(looked(made, DAYS[160]).known).tobytes() != features(looked(made, DAYS[159]).known).tobytes()


def test_a_first_version_of_later_leaves_the_day_unknown_and_never_present() -> None:
    made = risk_district.build(years=(2025,), each=4, afterwards=(2025,))
    run("DELETE FROM mark WHERE student_id = :who", who=made.students[0])
    assert rates(made)[0] == (40_000, 0)
    one_mark(made, DAYS[20], "A", received=date(2028, 7, 15), modified=DAYS[45])
    assert rates(made)[0] == (39_000, 0), "neither present nor absent until it was changed"
    assert looked(made).sums["unknown"] == 1000
    assert rates(made, DAYS[45])[0] == (46_000, 1000)
    one_mark(made, DAYS[21], "A", received=date(2028, 7, 15), modified=None)
    assert rates(made)[0] == (39_000, 1000), "one that carries no moment counts from its day on"


def test_a_later_correction_of_a_year_loaded_afterwards_counts_from_its_own_moment() -> None:
    made = risk_district.build(years=(2025,), each=6, afterwards=(2025,))
    before, later = rates(made), rates(made, DAYS[80])
    corrected(made, code="P", received=date(2028, 8, 1), modified=DAYS[70])
    assert rates(made) == before
    gone = [then[1] - now[1] for then, now in zip(later, rates(made, DAYS[80]), strict=True)]
    assert gone == [absent for _, absent in before]


def rates(made: District, day: date = T) -> list[tuple[int, int]]:
    """(enrolled, absent) of each student that evening."""
    known = looked(made, day).known
    return list(zip(known.enrolled.tolist(), known.absent.tolist(), strict=True))


def test_tonight_from_what_is_packed_is_the_same_as_cut_from_the_rows() -> None:
    """Also where years before are known, somebody left or moved, and a school is silent on its last days."""
    running = school_days(2026)
    made = risk_district.build(years=(2024, 2025), each=12, today=running[44])
    for one in calendar.completed(date(2026, 9, 1)):
        year_ends.store(np.array(made.students, dtype=np.int64), one)
    run("UPDATE stint SET exit_date = :day WHERE student_id = :who", day=running[30], who=made.students[2])
    run("UPDATE stint SET exit_date = :day WHERE student_id = :who", day=running[20], who=made.students[4])
    run(
        "INSERT INTO stint (student_id, school_id, entry_date, exit_code, grade, calendar_key) "
        "VALUES (:who, :school, :day, '', '8', '')",
        who=made.students[4], school=made.schools[1], day=running[21],
    )  # fmt: skip
    for table in ("school_day", "submission"):
        run(f"DELETE FROM {table} WHERE school_id = :school AND day > :day", school=made.schools[0], day=running[41])
    flagging.evaluate_all()
    tonight = packed.look(date(2026, 7, 1))
    assert tonight is not None
    cut = evenings.evening(
        np.array(made.students, dtype=np.int64), calendar.SchoolYear(date(2026, 7, 1), running, True), running[44]
    )
    assert cut is not None
    then = looking.look(cut, date(2026, 7, 1), NOBODY)
    assert made.students[2] not in tonight.known.students
    assert tonight.known.school[tonight.known.students == made.students[4]].tolist() == [made.schools[1]]
    np.testing.assert_array_equal(features(tonight.known), features(then.known))
    assert tonight.sums == then.sums
    assert not np.isnan(features(tonight.known)[:, COLUMN["year_before_rate"]]).all()


def test_a_year_ends_with_what_its_marks_say_and_once_for_a_child_of_two_ids() -> None:
    made = risk_district.build(years=(2025,), each=6)
    first, second = made.students[0], made.students[2]  # at one school
    run("UPDATE student SET same_as = :first WHERE id = :second", first=first, second=second)
    run("UPDATE stint SET student_id = :first, former_id = :second, entry_date = '2025-08-02' "
        "WHERE student_id = :second", first=first, second=second)  # fmt: skip
    days = query("SELECT DISTINCT day FROM mark WHERE student_id IN (:a, :b) AND code IN ('A', 'E')", a=first, b=second)
    own = np.array([one for one in made.students if one != second], dtype=np.int64)
    year_ends.store(own, year())
    year_ends.store(own, year())
    ends = query("SELECT student_id, enrolled, absent, late_enrolled, known_by FROM year_end ORDER BY student_id")
    assert [row[0] for row in ends] == own.tolist()
    assert ends[0] == (first, 170_000, len(days) * 1000, 44_000, "marks")


def test_totals_that_a_roster_told_stand_in_where_no_marks_are_known() -> None:
    made = risk_district.build(years=(2025,), each=4)
    year_ends.store(np.array(made.students[1:], dtype=np.int64), year())
    for who, name in ((made.students[0], "2025-26"), (made.students[1], "2026"), (made.students[2], "2024-25")):
        run("INSERT INTO prior_year (student_id, school_year, enrolled, absent) VALUES (:who, :name, 180000, 9000)",
            who=who, name=name)  # fmt: skip
    year_ends.store_told(date(2025, 7, 1))
    year_ends.store_told(date(2024, 7, 1))
    past = year_ends.past(np.array(made.students, dtype=np.int64), date(2026, 7, 1))
    assert (past.last_absent[0], past.last_enrolled[0], past.late_absent[0]) == (9000, 180_000, -1)
    assert past.last_enrolled[1] == 170_000, "marks know better"
    assert past.before_absent.tolist()[:4] == [-1, -1, 9000, -1]
