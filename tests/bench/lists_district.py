"""A large district written by SQL, as it stands in November: for the pages, not for the rules."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import text

from ew_app.kernel import now, transaction
from models.base import db
from models.staff import Grant, Person

TODAY = date(2026, 11, 20)
START = date(2026, 8, 17)
NETWORKS = 17
SEATS = (  # login, role, place
    ("worker", "social_worker", "school:S1"),
    ("network", "social_worker", "network:N1"),
    ("principal", "principal", "school:S1"),
    *(("district", "social_worker", f"network:N{number}") for number in range(1, NETWORKS + 1)),
)
STATEMENTS = (
    "INSERT INTO source (name, feed, exit_inclusive) VALUES ('Aspen', 'exception', true)",
    "INSERT INTO network (key, name) SELECT 'N' || n, 'Network ' || n FROM generate_series(1, :networks) n",
    """INSERT INTO school (key, name, network_id, level, day_minutes, min_full_minutes, min_half_minutes, source_id)
       SELECT 'S' || n, 'School ' || n, 1 + n % :networks, '', 420, 300, 150, 1 FROM generate_series(1, :schools) n""",
    """INSERT INTO calendar_day (school_id, calendar_key, day, day_type, weight)
       SELECT s.id, '', d::date, 'instructional', 1000
       FROM school s, generate_series(CAST(:start AS date), CAST(:start AS date) + 280, '1 day') d
       WHERE extract(isodow FROM d) < 6""",
    """INSERT INTO absence_code (code, title, kind, absent_fraction, excused) VALUES
       ('UX', 'Unexcused', 'absence', 1000, 'unexcused'), ('EX', 'Excused', 'absence', 1000, 'excused')""",
    """INSERT INTO student (key, first_name, last_name, grade, homeroom, bus_route, household_key, home_language,
                            interpreter, race_ethnicity)
       SELECT lpad(n::text, 7, '0'), 'First' || n % 977, 'Last' || n % 7919, (1 + n % 12)::text, '', '', '', '',
              false, ''
       FROM generate_series(1, :students) n""",
    """INSERT INTO stint (student_id, school_id, entry_date, exit_code, grade, calendar_key)
       SELECT n, 1 + n % :schools, CAST(:start AS date), '', '', '' FROM generate_series(1, :students) n""",
    """INSERT INTO contact (student_id, name, relation, phone, email, address, language)
       SELECT n, 'Parent ' || n, 'mother', '773' || lpad(n::text, 7, '0'), '', '', ''
       FROM generate_series(1, :students) n""",
    """INSERT INTO batch (kind, source_id, feed, status, name, sha256, received_at, received_by, applied_at,
                          accept_held, preview, options, counts, effect, sentence, percent, step)
       VALUES ('attendance', 1, 'exception', 'applied', 'all.csv', 'x', :at, 'worker', :at, false, false, '{}', '{}',
               '{}', '', 100, '')""",
    """INSERT INTO submission (school_id, day, batch_id, feed, rows, whole)
       SELECT school_id, day, 1, 'exception', 40, false FROM calendar_day WHERE day <= :today""",
    """INSERT INTO school_day (school_id, day, status, feed, rows, expected, absences)
       SELECT school_id, day, 'submitted', 'exception', 40, 500, 40 FROM calendar_day WHERE day <= :today""",
    """INSERT INTO student_status (student_id, school_id, grade, enrolled_now, tier, too_early, tier_since, rules,
           data_through, enrolled, absent, excused, unexcused, federal_absent, tardies, missing_days, unknown_days,
           streak_now, absent_last_20, enrolled_last_20, rate_tier, tier_min, tier_max, policy_version)
       SELECT n, 1 + n % :schools, (1 + n % 12)::text, true, t, false, d, ARRAY['R07'], :today, 70000, a, a / 2, a / 2,
              a, 0, 0, 0, 0, 3000, 20000, t, t, t, 'v'
       FROM (SELECT n, CASE WHEN n > :cases * 2 THEN 0 WHEN n <= :cases THEN 2 + n / :schools % 2 ELSE 1 END AS t,
                    CASE WHEN n <= :cases * 2 THEN 9000 ELSE 2000 END AS a,
                    CAST(:today AS date) - (n / :schools % 80) AS d
             FROM generate_series(1, :students) n) x""",
    """INSERT INTO tier_change (student_id, day, before, after, rules, sentence, policy_version, recorded_at)
       SELECT student_id, tier_since, 0, tier, rules, 'Absent 9 of 70 days (12.8%). Tier 2 starts at 10%.', 'v', :at
       FROM student_status WHERE tier > 0""",
    """INSERT INTO finding (student_id, rule, since, numbers, sentence, policy_version, recorded_at)
       SELECT student_id, 'R07', tier_since, '{}', 'Absent 9 of 70 days (12.8%). Tier 2 starts at 10%.', 'v', :at
       FROM student_status WHERE tier > 1""",
    """INSERT INTO mark (school_id, student_id, day, period, source_id, code, batch_id, file, line)
       SELECT s.school_id, s.student_id, d.day, '', 1, CASE WHEN d.n % 2 = 0 THEN 'UX' ELSE 'EX' END, 1, 0, 2
       FROM student_status s
       JOIN LATERAL (SELECT CAST(:start AS date) + ((s.student_id * 7 + n * 11) % 90) AS day, n
                     FROM generate_series(1, 9) n) d ON extract(isodow FROM d.day) < 6
       WHERE s.tier > 0 ON CONFLICT DO NOTHING""",
    """INSERT INTO support_case (student_id, school_id, kind, status, tier, episode, department, owner_role, owner_id,
           owner_via, opened, opened_at, contact_due, due, next_step, goals_reviewed, family_told, version, closed_on,
           close_reason)
       SELECT n, 1 + n % :schools, 'attendance',
              CASE WHEN n > :cases THEN 'closed' WHEN n % 3 = 0 THEN 'new' ELSE 'contacting' END,
              2 + n / :schools % 2, 1, 'school_counseling', 'social_worker',
              CASE WHEN n / :schools % 20 = 0 THEN NULL ELSE 1000 + 1 + n % :schools END, '',
              CAST(:today AS date) - n % 60, CAST(:at AS timestamptz) - n % 60 * interval '1 day',
              CAST(:today AS date) - n % 50, CAST(:today AS date) + 12 - n % 25, 'Call home once more', false, false, 1,
              CASE WHEN n > :cases THEN CAST(:today AS date) - 5 END, CASE WHEN n > :cases THEN 'recovered' END
       FROM generate_series(1, :cases * 3 / 2) n""",
    """INSERT INTO case_episode (case_id, episode, opened) SELECT id, 1, opened FROM support_case""",
    """INSERT INTO case_reason (case_id, rule, episode, day, sentence, added_at)
       SELECT id, 'R07', 1, opened, 'Absent 9 of 70 days (12.8%). Tier 2 starts at 10%.', opened_at
       FROM support_case""",
    """INSERT INTO outreach (case_id, student_id, on_day, at, method, outcome, direction, with_whom, language,
           interpreter, note, promise, is_contact, author_id, author, position, written_at)
       SELECT c.id, c.student_id, c.opened + n, c.opened_at + n * interval '1 day', 'call',
              CASE WHEN n = 3 THEN 'reached_agreed' ELSE 'left_voicemail' END, 'out', '', '', false, '', '', n = 3,
              c.owner_id, 'Eli', 'School social worker', c.opened_at
       FROM support_case c, generate_series(1, 5) n""",
    """INSERT INTO task (case_id, student_id, school_id, kind, period, title, department, owner_role, owner_id, due,
                         status, created_at, note)
       SELECT c.id, c.student_id, c.school_id, k, '2026/' || k, 'Call home', c.department, c.owner_role, c.owner_id,
              c.due, CASE WHEN c.closed_on IS NULL THEN 'open' ELSE 'withdrawn' END, c.opened_at, ''
       FROM support_case c, unnest(ARRAY['call', 'plan']) k""",
    """INSERT INTO event (at, kind, subject, case_id, student_id, actor, position, data)
       SELECT c.opened_at, k, 'case:' || c.number, c.id, c.student_id, 'The system', 'automatic', '{}'
       FROM support_case c, unnest(ARRAY['case_opened', 'reason_added', 'task_done']) k""",
    "ANALYZE",
)


def write(students: int, cases: int, schools: int) -> None:
    """The whole district in one transaction. Person 1000 + n owns the cases of school n; the first is `worker`."""
    given = {
        "students": students, "cases": cases, "schools": schools, "networks": NETWORKS, "start": START, "today": TODAY,
        "at": now(),
    }  # fmt: skip
    with transaction():
        for statement in STATEMENTS[:10]:
            db.session.execute(text(statement), given)
        _people(schools)
        for statement in STATEMENTS[10:]:
            db.session.execute(text(statement), given)


def _people(schools: int) -> None:
    """One social worker for each school, and the four whose pages are looked at."""
    for number in range(1, schools + 1):
        login = f"worker{number}" if number > 1 else "worker"
        db.session.add(Person(id=1000 + number, login=login, name=f"Worker {number}", created_at=now()))
    for login in sorted({login for login, *_ in SEATS} - {"worker"}):
        db.session.add(Person(login=login, name=login.title(), created_at=now()))
    db.session.flush()
    people = {person.login: person.id for person in db.session.query(Person)}
    before = TODAY - timedelta(days=400)
    for number in range(2, schools + 1):
        grant = {"person_id": people[f"worker{number}"], "role": "social_worker", "place": f"school:S{number}"}
        db.session.add(Grant(**grant, starts=before))
    for login, role, place in SEATS:
        db.session.add(Grant(person_id=people[login], role=role, place=place, starts=before))
