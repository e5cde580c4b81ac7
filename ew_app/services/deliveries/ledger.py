"""The day ledger: which school took attendance on which day, from how many rows, for how many students.

Derived from submissions, calendars and enrolment, for the school-days asked for; never patched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import text

from ew_app.kernel import today
from ew_app.services.deliveries.enrolment import Enrolment, day_number
from ew_app.services.measuring.touched import touch_each_school
from models.attendance import UNREAD
from models.base import db
from models.bulk import read_ints
from models.marks import hashed, one_by_one
from models.org import ABSENT_KINDS
from models.queries import coded, school_days
from rules.feed_checks import Limits

SchoolDay = tuple[int, date]


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One line of `ew ledger`; `school_id` is the school's own key."""

    school_id: str
    date: date
    status: str
    rows: int
    expected: int


_TEMPORARY = (
    """
    CREATE TEMP TABLE IF NOT EXISTS asked (
        school_id int, day date, expected int, teaches boolean, grows boolean, is_full boolean, heard int
    ) ON COMMIT DELETE ROWS
    """,
    """
    CREATE TEMP TABLE IF NOT EXISTS said (
        school_id int, day date, student_id int, code text, is_mark boolean, of_day boolean
    ) ON COMMIT DELETE ROWS
    """,
    "TRUNCATE asked, said",
)
# First each row that stands is fetched through an index; then they are counted by themselves.
_ASK = text("""
    INSERT INTO asked (school_id, day, expected, teaches, grows, is_full) SELECT a.*, (
        SELECT bool_or(s.feed = 'full') FROM submission s
        WHERE s.school_id = a.school_id AND s.day = a.day AND s.ended_at IS NULL AND s.taken)
    FROM unnest(CAST(:schools AS int[]), CAST(:days AS date[]), CAST(:expected AS int[]), CAST(:teaches AS boolean[]),
                CAST(:grows AS boolean[])) AS a (school_id, day, expected, teaches, grows)
""")
# A full day to which rows are added, and from which none is taken, stays full: nobody needs to be counted for that.
_STILL_WHOLE = text("""
    UPDATE asked a SET heard = a.expected FROM school_day l
    WHERE a.grows AND l.school_id = a.school_id AND l.day = a.day AND l.status = 'submitted' AND l.feed = 'full'
""")
_FETCH = (
    text("""
        INSERT INTO said SELECT m.school_id, m.day, m.student_id, m.code, true, m.period = ''
        FROM asked JOIN mark m USING (school_id, day) WHERE is_full IS NOT NULL
    """),
    text("""
        INSERT INTO said SELECT r.school_id, r.day, unnest(r.students), r.code, false, true
        FROM asked JOIN roll r USING (school_id, day) WHERE is_full IS NOT NULL AND r.replaced_by IS NULL
    """),
    text("DELETE FROM school_day l USING asked a WHERE l.school_id = a.school_id AND l.day = a.day"),
)
# A row for each mark, and for each student on a roll over whom there is no mark about the whole day; what could not be
# read is no row. Staging counts alike. An absence is a mark whose code means absent that day.
_COUNT = text(f"""
    WITH each AS (
        SELECT school_id, day, student_id, count(*) FILTER (WHERE is_mark AND code <> '{UNREAD}') AS marks,
               bool_or(NOT is_mark) AND NOT bool_or(is_mark AND of_day AND code <> '{UNREAD}') AS called
        FROM said GROUP BY 1, 2, 3
    ), counted AS (
        SELECT school_id, day, sum(marks) + count(*) FILTER (WHERE called) AS rows FROM each GROUP BY 1, 2
    ), words AS (
        SELECT school_id, day, code, count(DISTINCT student_id) AS students FROM said WHERE is_mark GROUP BY 1, 2, 3
    ), absent AS (
        SELECT w.school_id, w.day, sum(w.students) AS students
        FROM words w, LATERAL {coded.meaning("w")} best WHERE best.kind IN {ABSENT_KINDS} GROUP BY 1, 2
    )
    INSERT INTO school_day (school_id, day, status, feed, rows, expected, absences)
    SELECT a.school_id, a.day,
           CASE WHEN NOT a.teaches THEN 'closed'
                WHEN a.is_full AND 100 * coalesce(a.heard, 0) < :least * a.expected THEN 'partial'
                ELSE 'submitted' END,
           CASE WHEN a.is_full THEN 'full' ELSE 'exception' END,
           coalesce(c.rows, 0), a.expected, coalesce(absent.students, 0)
    FROM asked a LEFT JOIN counted c USING (school_id, day) LEFT JOIN absent USING (school_id, day)
    WHERE a.is_full IS NOT NULL ORDER BY a.school_id, a.day
""")
# Of whom a full feed speaks; only students due that day make it whole.
_SPOKEN_OF = """
    SELECT DISTINCT s.school_id, s.day - DATE '1970-01-01', s.student_id
    FROM said s JOIN asked a USING (school_id, day) WHERE a.is_full AND a.heard IS NULL
"""
_HEARD = text("""
    UPDATE asked a SET heard = h.students
    FROM unnest(CAST(:schools AS int[]), CAST(:days AS int[]), CAST(:students AS int[])) AS h (school_id, day, students)
    WHERE a.school_id = h.school_id AND a.day = DATE '1970-01-01' + h.day
""")
_BEFORE = text("""
    SELECT l.school_id, l.day, l.feed FROM asked JOIN school_day l USING (school_id, day)
    WHERE l.status IN ('submitted', 'partial')
""")
_FIRST = text("""
    INSERT INTO school_day (school_id, day, status, feed, rows, expected, absences)
    SELECT school_id, day,
           CASE WHEN NOT teaches THEN 'closed'
                WHEN :feed = 'full' AND 100 * students < :least * expected THEN 'partial' ELSE 'submitted' END,
           :feed, rows, expected, absences
    FROM staged_day WHERE batch_id = :batch AND school_id BETWEEN :low AND :high AND fresh AND taken
    ORDER BY school_id, day
    RETURNING school_id, day, status
""")
_STAGED = text("""
    SELECT school_id, day, expected, teaches, NOT whole AS grows FROM staged_day
    WHERE batch_id = :batch AND school_id BETWEEN :low AND :high AND NOT fresh ORDER BY school_id, day
""")


def begin(here: Mapping[str, Any], limits: Limits) -> dict[int, date]:
    """Ledger rows of school-days nobody spoke of before, as staged; school -> its first day that counts."""
    wanted = {name: here[name] for name in ("feed", "batch", "low", "high")}
    rows = db.session.execute(_FIRST, wanted | {"least": limits.least_rows})
    return _first_days((row.school_id, row.day) for row in rows if row.status != "closed")


def follow(here: Mapping[str, Any], limits: Limits) -> dict[int, date]:
    """Derive again the days of a staged batch spoken of before; school -> first day that counts differently now."""
    rows = db.session.execute(_STAGED, {name: here[name] for name in ("batch", "low", "high")}).all()
    return _derive(rows, limits)


def derive(
    days: Collection[SchoolDay], limits: Limits | None = None, *, kept: Collection[SchoolDay] = ()
) -> dict[int, date]:
    """Derive these school-days from what stands; school -> first day that counts differently now.

    Differently: attendance is known where it was not, or the other way round, or the feed changed its kind.
    kept: those on which whoever had a row still has one.
    """
    if not days:
        return {}
    ordered = sorted(days)
    school = np.array([school for school, _ in ordered], dtype=np.int64)
    day = np.array([day_number(day) for _, day in ordered], dtype=np.int64)
    enrolment = Enrolment(school.tolist(), day.tolist())
    expected, teaches = enrolment.expected(school, day), enrolment.teaches(school, day)
    told = zip(ordered, expected.tolist(), teaches.tolist(), strict=True)
    rows = [(*pair, *rest, pair in kept) for pair, *rest in told]
    return _derive(rows, limits or Limits())


def earliest(parts: Iterable[Mapping[int, date]]) -> dict[int, date]:
    """School -> the first of its days in any of the parts."""
    return _first_days(pair for part in parts for pair in part.items())


def rebuild(since: Mapping[int, date], limits: Limits | None = None) -> None:
    """After a roster changed calendars or enrolments: derive each school's days from its date on.

    Students of schools whose days count differently now are marked for evaluation.
    """
    rows = db.session.execute(
        text("""
            SELECT DISTINCT s.school_id, s.day FROM submission s
            JOIN unnest(CAST(:schools AS int[]), CAST(:since AS date[])) AS a (school_id, since) USING (school_id)
            WHERE s.day >= a.since AND s.ended_at IS NULL
        """),
        {"schools": list(since), "since": list(since.values())},
    )
    touch_each_school(derive([(row.school_id, row.day) for row in rows], limits))


def days(
    *,
    start: date | None = None,
    until: date | None = None,
    school: str | None = None,
    within: Collection[int] | None = None,
    after: tuple[str, date] | None = None,
    most: int | None = None,
) -> list[LedgerRow]:
    """Every calendar date and submitted day of each school, by school key and date.

    Without `until` up to the last day that any school submitted. `school` is a school's key. `within`: only these
    schools, by number. At most `most` rows, from what comes `after` a school and day.
    """
    found = school_days.ledger_rows(start, until, school, today(), within=within, after=after, most=most)
    open_days = [row for row in found if row.expected is None and row.status == "not_submitted"]
    expected = _expected([(row.school, row.date) for row in open_days])
    return [
        LedgerRow(
            row.school_id,
            row.date,
            row.status,
            row.rows,
            row.expected if row.expected is not None else expected.get((row.school, row.date), 0),
        )
        for row in found
    ]


def _expected(days: Sequence[SchoolDay]) -> dict[SchoolDay, int]:
    if not days:
        return {}
    school = np.array([school for school, _ in days], dtype=np.int64)
    day = np.array([day_number(day) for _, day in days], dtype=np.int64)
    due = Enrolment(school.tolist(), day.tolist()).expected(school, day)
    return dict(zip(days, due.tolist(), strict=True))


def _derive(rows: Sequence[Any], limits: Limits) -> dict[int, date]:
    names = ("schools", "days", "expected", "teaches", "grows")
    for statement in _TEMPORARY:
        db.session.execute(text(statement))
    with one_by_one():
        db.session.execute(_ASK, {name: [row[at] for row in rows] for at, name in enumerate(names)})
        before = _kinds()
        db.session.execute(_STILL_WHOLE)
        for step in _FETCH:
            db.session.execute(step)
    _count_who_was_due()
    with hashed():
        db.session.execute(_COUNT, {"least": limits.least_rows})
    after = _kinds()
    changed = (pair for pair in before.keys() | after.keys() if before.get(pair) != after.get(pair))
    return _first_days(changed)


def _count_who_was_due() -> None:
    """Say of each day of a full feed for how many of the students due it has rows."""
    found = read_ints(_SPOKEN_OF, ["school", "day", "student"])
    if not len(found["school"]):
        return
    school, day = found["school"].astype(np.int64), found["day"].astype(np.int64)
    pairs, place = np.unique(np.stack([school, day]), axis=1, return_inverse=True)
    enrolment = Enrolment(pairs[0], pairs[1])
    due = enrolment.due(found["student"], school, day)
    children = np.unique(np.stack([place.ravel()[due], enrolment.children(found["student"][due])]), axis=1)
    heard = np.bincount(children[0], minlength=pairs.shape[1])
    columns = {"schools": pairs[0], "days": pairs[1], "students": heard}
    db.session.execute(_HEARD, {name: column.tolist() for name, column in columns.items()})


def _kinds() -> dict[SchoolDay, str]:
    """The feed of each school-day asked for that counts."""
    return {(row.school_id, row.day): row.feed for row in db.session.execute(_BEFORE)}


def _first_days(pairs: Any) -> dict[int, date]:
    first: dict[int, date] = {}
    for school, day in pairs:
        first[school] = min(day, first.get(school, day))
    return first
