"""What each roster file fills: where its rows go, whom they name, which rows are faulty, who is touched.

All of it is SQL over `incoming i`, the rows of one file with their line: student_pk and school_pk are the ids
behind the keys in the file, `unread` names the columns whose cell could not be read.
"""

from __future__ import annotations

from ew_app.services.rosters.roster_days import CALENDAR, SCHEDULE, SESSIONS
from ew_app.services.rosters.roster_targets import (
    A_YEAR_AHEAD,
    ABSENCE_CODE,
    CONTACT,
    NETWORK,
    PRIOR_YEAR,
    SCHOOL,
    STINT,
    STUDENT,
    Fault,
    RosterTable,
    Write,
    same,
    text_of,
    texts_of,
)
from models.org import ABSENT_KINDS
from models.upsert import STANDS

# Each school with the key of its network: where the file names none it stays where it is, and a new one is the
# district's.
_PLACED = """(
    SELECT i.*, coalesce(nullif(i.network_id, ''), n.key, 'district') AS network
    FROM incoming i LEFT JOIN school s ON s.key = i.school_id LEFT JOIN network n ON n.id = s.network_id) i"""

_SCHOOLS = RosterTable(
    name="schools",
    about="school",
    writes=(
        Write(
            NETWORK,
            {"key": "i.network", "name": "i.name"},
            rows=f"""(
                SELECT DISTINCT ON (i.network) i.line, i.unread, i.network, coalesce(
                    nullif(i.network_name, ''),
                    (SELECT n.name FROM network n WHERE n.key = i.network AND {STANDS.format(row="n")}),
                    i.network) AS name
                FROM {_PLACED} ORDER BY i.network, i.network_name = '', i.line DESC) i""",
            reads={"name": "network_name"},
        ),
        Write(
            SCHOOL,
            {
                "key": "i.school_id",
                "name": "i.name",
                "network_id": "n.id",
                "level": text_of("level"),
                "day_minutes": "coalesce(i.day_minutes, 420)",
                "min_full_minutes": "coalesce(i.min_full_minutes, 300)",
                "min_half_minutes": "coalesce(i.min_half_minutes, 150)",
            },
            rows=f"{_PLACED} JOIN network n ON n.key = i.network",
        ),
    ),
    faults=(
        Fault(
            "min_half_minutes",
            "coalesce(i.min_half_minutes, 150) > coalesce(i.min_full_minutes, 300)",
            "Half a day needs more minutes here than a whole day. Check min_half_minutes and min_full_minutes.",
            rejected=False,
        ),
    ),
)

_STUDENTS = RosterTable(
    name="students",
    about="student",
    restricted=True,
    writes=(
        Write(
            STUDENT,
            {
                "key": "i.student_id",
                **texts_of("first_name", "last_name"),
                **same("birth_date"),
                **texts_of("grade", "homeroom", "bus_route"),
                "household_key": text_of("household_id"),
                "home_language": text_of("home_language"),
                "interpreter": "coalesce(i.interpreter, false)",
                "race_ethnicity": text_of("race_ethnicity"),
                **same("english_learner", "low_income"),
                **texts_of("system_id"),
            },
            reads={"household_key": "household_id"},
        ),
    ),
    faults=(
        Fault(
            "birth_date",
            "i.birth_date > CAST(:today AS date)",
            "This date of birth lies in the future. It is stored as it came; correct it in the student system.",
            rejected=False,
        ),
        Fault(
            "student_id",
            """NOT EXISTS (SELECT FROM student s WHERE s.key = i.student_id) AND EXISTS (
                SELECT FROM student s WHERE ltrim(s.key, '0') = ltrim(i.student_id, '0'))""",
            'There is a student whose id is "{value}" but for the zeros at the front. If this is the same child, '
            "export the id column as text; until then two students stand in the list.",
            rejected=False,
        ),
    ),
)

_ENROLLMENTS = RosterTable(
    name="enrollments",
    about="enrolment",
    names_school=True,
    names_student=True,
    writes=(
        Write(
            STINT,
            {
                "student_id": "coalesce(s.same_as, s.id)",
                "former_id": "CASE WHEN s.same_as IS NULL THEN 0 ELSE s.id END",
                "school_id": "i.school_pk",
                "entry_date": "i.entry_date",
                "exit_date": "i.exit_date - CAST(:days_off AS int)",
                "exit_code": text_of("exit_code"),
                "grade": text_of("grade"),
                "calendar_key": text_of("calendar_id"),
                "is_primary": 'i."primary"',
            },
            rows="incoming i JOIN student s ON s.id = i.student_pk",
            reads={"calendar_key": "calendar_id", "is_primary": "primary"},
        ),
    ),
    faults=(
        Fault(
            "exit_date",
            "i.exit_date < i.entry_date",
            "This enrolment ends before it begins. It is kept and listed under Fix data, and no day counts for it.",
            rejected=False,
        ),
        Fault(
            "entry_date",
            A_YEAR_AHEAD.format(column="entry_date"),
            "This enrolment begins more than a year from now. It waits until then; is the year right?",
            rejected=False,
        ),
    ),
)

_CODES = RosterTable(
    name="absence_codes",
    about="code",
    names_school=True,
    school_may_be_blank=True,
    writes=(
        Write(
            ABSENCE_CODE,
            {
                "school_id": "i.school_pk",
                "code": "i.code",
                "valid_from": "i.valid_from",
                "title": text_of("title"),
                "kind": "i.kind",
                "absent_fraction": "coalesce(i.absent_fraction, "
                f"CASE WHEN i.kind IN {ABSENT_KINDS} THEN 1000 ELSE 0 END)",
                "excused": "i.excused",
                "valid_to": "i.valid_to",
            },
        ),
    ),
    faults=(
        Fault(
            "valid_to",
            "i.valid_to < i.valid_from",
            "This code would end before it begins. Correct valid_from or valid_to.",
        ),
    ),
)

_CONTACTS = RosterTable(
    name="contacts",
    about="contact",
    names_student=True,
    writes=(
        Write(
            CONTACT,
            {
                "student_id": "i.student_pk",
                "name": "i.name",
                **texts_of("relation", "phone", "email", "address", "language"),
                **same("may_receive_mail", "may_pick_up"),
            },
        ),
    ),
)

_PRIOR_YEAR = RosterTable(
    name="prior_year",
    about="student and school year",
    names_student=True,
    writes=(
        Write(
            PRIOR_YEAR,
            {
                "student_id": "i.student_pk",
                # 2025-2026 and 2025-26 are one school year
                "school_year": r"""CASE WHEN i.school_year LIKE '____-__' THEN i.school_year
                    ELSE regexp_replace(i.school_year, '^(\d{4})[-/](\d\d)?(\d\d)$', '\1-\3') END""",
                "enrolled": "i.enrolled_days",
                "absent": "i.absent_days",
                "unexcused": "i.unexcused_days",
            },
            reads={"enrolled": "enrolled_days", "absent": "absent_days", "unexcused": "unexcused_days"},
        ),
    ),
    faults=(
        Fault(
            "absent_days",
            "i.absent_days > i.enrolled_days",
            "More days absent than enrolled cannot be. Correct the totals of last year.",
        ),
        Fault(
            "unexcused_days",
            "i.unexcused_days > i.absent_days",
            "More unexcused days than absent days cannot be. Correct the totals of last year.",
        ),
    ),
)

# In the order in which rows can point at others.
ROSTER_TABLES = {
    table.name: table
    for table in (_SCHOOLS, _STUDENTS, _ENROLLMENTS, CALENDAR, SESSIONS, SCHEDULE, _CODES, _CONTACTS, _PRIOR_YEAR)
}
NOT_USED_YET = ("course_marks",)
# Who is the same child is known before enrolments come.
_FIRST = ("schools", "students", "student_changes")
ORDER = (*_FIRST, *(name for name in ROSTER_TABLES if name not in _FIRST), "people", *NOT_USED_YET)
