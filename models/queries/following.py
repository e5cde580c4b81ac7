"""What a following of findings looks at, for many students at once: standings, findings, cases, reasons, tasks.

Every function is at most one statement. Rows are read as they stand in the open transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import ARRAY, ColumnElement, Integer, and_, any_, exists, literal, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute

from models.audit import WORKER_POSITION, Event
from models.base import db
from models.cases import Case, CaseReason, Task
from models.letters import Letter
from models.tiers import Finding

DID_NOT_ARRIVE = "R20"
MERGED = "merged"  # why a case was closed: another case of the same child, once under another id, goes on
TAKEN_BACK = "taken_back"  # why a case was closed: only a delivery that was undone had opened it
Rows = Iterable[Any]
# A person has done something about case c since it was opened. Work inside a compartment is left out: nobody
# outside must be able to tell that there is any.
WORKED_ON = """
    EXISTS (SELECT FROM event e WHERE e.case_id = c.id AND e.at >= c.opened_at AND e.compartment IS NULL
              AND e.position <> :worker)
"""


def standings(students: Sequence[int]) -> Rows:
    """How each of these students stands, with the homeroom, and whether they were ever seen."""
    return db.session.execute(
        text("""
            SELECT t.student_id, t.school_id, t.tier, t.enrolled_now, t.data_through, s.homeroom,
                   t.absent < t.enrolled AS seen
            FROM student_status t JOIN student s ON s.id = t.student_id
            WHERE t.student_id = ANY(:students) ORDER BY t.student_id
        """),
        {"students": list(students)},
    )


def findings(students: Sequence[int], since: date) -> Rows:
    """(student, rule, since, until, compartment, sentence, policy) of what stands, by student, rule and day.

    Those that began before `since` are read only where an open case may rest on them.
    """
    return db.session.execute(
        text("""
            SELECT f.student_id, f.rule, f.since, f.until, f.compartment, f.sentence, f.policy_version
            FROM finding f
            WHERE f.student_id = ANY(:students) AND f.withdrawn_at IS NULL
              AND (f.since >= :since OR EXISTS (
                  SELECT FROM support_case c WHERE c.student_id = f.student_id AND c.closed_on IS NULL))
            ORDER BY f.student_id, f.rule, f.since
        """),
        {"students": list(students), "since": since},
    )


def open_cases(students: Sequence[int]) -> Rows:
    """The open cases of these students, locked for the change."""
    wanted = select(
        Case.id, Case.number, Case.student_id, Case.school_id, Case.kind, Case.status, Case.tier, Case.episode,
        Case.department, Case.owner_role, Case.owner_id, Case.owner_via, Case.due, Case.next_step, Case.contact_due,
    )  # fmt: skip
    here = wanted.where(_among(Case.student_id, students), Case.closed_on.is_(None))
    return db.session.execute(here.order_by(Case.id).with_for_update())


def arrivals_told(cases: Collection[int]) -> set[int]:
    """Those of these cases whose timeline says last that the student has come."""
    if not cases:
        return set()
    found = db.session.scalars(
        text("""
            SELECT case_id FROM (
                SELECT DISTINCT ON (case_id) case_id, kind FROM event
                WHERE case_id = ANY(:cases) AND kind IN ('arrived', 'left_unseen', 'not_arrived_after_all')
                ORDER BY case_id, id DESC) newest
            WHERE kind <> 'not_arrived_after_all'
        """),
        {"cases": list(cases)},
    )
    return set(found)


def looked_for(students: Collection[int]) -> set[int]:
    """Those of these students who have not arrived yet."""
    wanted = select(Finding.student_id).where(_among(Finding.student_id, students), stands(DID_NOT_ARRIVE))
    return set(db.session.scalars(wanted))


def still_met(student: int) -> set[str]:
    """The rules that are met for this student now."""
    live = Finding.withdrawn_at.is_(None), Finding.until.is_(None)
    return set(db.session.scalars(select(Finding.rule).where(Finding.student_id == student, *live)))


def stands(rule: str) -> ColumnElement[bool]:
    """Condition on Finding: this rule is met now."""
    return and_(Finding.rule == rule, Finding.withdrawn_at.is_(None), Finding.until.is_(None))


def waiting(students: np.ndarray, rules: Collection[str]) -> set[int]:
    """Those of these students for whom such a rule is met and who have no open case."""
    found = db.session.scalars(
        text("""
            SELECT DISTINCT f.student_id FROM finding f
            WHERE f.student_id = ANY(:students) AND f.rule = ANY(:rules)
              AND f.withdrawn_at IS NULL AND f.until IS NULL
              AND NOT EXISTS (SELECT FROM support_case c WHERE c.student_id = f.student_id AND c.closed_on IS NULL)
        """),
        {"students": students, "rules": list(rules)},
    )
    return set(found)


def last_closed(students: Sequence[int]) -> Rows:
    """The newest closed case of each student, locked for the change; none that a person did not close."""
    return db.session.execute(
        text("""
            SELECT c.id, c.number, c.student_id, c.closed_on, c.episode, c.owner_id, c.owner_role
            FROM support_case c WHERE c.id IN (
                SELECT DISTINCT ON (student_id) id FROM support_case
                WHERE student_id = ANY(:students) AND closed_on IS NOT NULL
                  AND NOT coalesce(close_reason, '') = ANY(:by_system)
                ORDER BY student_id, closed_on DESC, id DESC)
            ORDER BY c.id FOR UPDATE
        """),
        {"students": list(students), "by_system": [TAKEN_BACK, MERGED]},
    )


def answered(students: Sequence[int]) -> dict[tuple[int, str], date]:
    """(student, rule) -> the last day on which a person closed a case that still had this reason.

    A case handed over to another school is not answered there.
    """
    found = db.session.execute(
        text("""
            SELECT c.student_id, r.rule, max(c.closed_on)
            FROM support_case c JOIN case_reason r ON r.case_id = c.id
            LEFT JOIN student_status t ON t.student_id = c.student_id
            WHERE c.student_id = ANY(:students) AND c.closed_on IS NOT NULL AND r.withdrawn_at IS NULL
              AND NOT (c.close_reason = 'moved_school' AND c.school_id <> t.school_id)
              AND c.close_reason IS DISTINCT FROM :merged
            GROUP BY 1, 2
        """),
        {"students": list(students), "merged": MERGED},
    )
    return {(student, rule): day for student, rule, day in found}


def reasons(cases: Collection[int]) -> Rows:
    """(id, case, rule, day, through, sentence, withdrawn) of the reasons of these cases' current episodes."""
    wanted = (
        select(
            CaseReason.id, CaseReason.case_id, CaseReason.rule, CaseReason.day, CaseReason.through, CaseReason.sentence,
            CaseReason.withdrawn_at.is_not(None).label("withdrawn"),
        )
        .join(Case, (Case.id == CaseReason.case_id) & (Case.episode == CaseReason.episode))
        .where(_among(Case.id, cases))
    )  # fmt: skip
    return db.session.execute(wanted)


def worked_on(cases: Collection[int]) -> set[int]:
    """Those of these cases about which a person has done anything since they were opened."""
    if not cases:
        return set()
    found = db.session.scalars(
        text(f"SELECT c.id FROM support_case c WHERE c.id = ANY(:cases) AND {WORKED_ON}"),
        {"cases": list(cases), "worker": WORKER_POSITION},
    )
    return set(found)


def idle() -> ColumnElement[bool]:
    """Condition on Case: no reason stands in this episode, and no person has done anything about it."""
    reason = CaseReason.case_id == Case.id, CaseReason.episode == Case.episode, CaseReason.withdrawn_at.is_(None)
    act = Event.case_id == Case.id, Event.at >= Case.opened_at, Event.compartment.is_(None)
    held = select(CaseReason.id).where(*reason).correlate(Case).offset(0)  # of some cases each: never of all at once
    return ~held.exists() & ~exists().where(*act, Event.position != WORKER_POSITION)


def searches(cases: Collection[int]) -> Rows:
    """(case, by_system, found) of the searches that stand in these cases' episodes: whether the system began them, and
    whether the student was found."""
    if not cases:
        return []
    return db.session.execute(
        text("""
            SELECT c.id, d.position = :worker, EXISTS (
                SELECT FROM search_done f WHERE f.case_id = d.case_id AND f.episode = d.episode
                AND f.step = 'found' AND f.taken_back_at IS NULL)
            FROM search_done d JOIN support_case c ON c.id = d.case_id AND c.episode = d.episode
            WHERE c.id = ANY(:cases) AND d.step = 'begun' AND d.taken_back_at IS NULL
        """),
        {"cases": list(cases), "worker": WORKER_POSITION},
    )


def last_taken_back(students: Collection[int]) -> Rows:
    """(student, rule, since, policy) of the finding of each rule that was withdrawn last."""
    return db.session.execute(
        text("""
            SELECT DISTINCT ON (student_id, rule) student_id, rule, since, policy_version FROM finding
            WHERE student_id = ANY(:students) AND withdrawn_at IS NOT NULL
            ORDER BY student_id, rule, withdrawn_at DESC, id DESC
        """),
        {"students": list(students)},
    )


def causes(cases: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Case -> its current causes that everybody on the case may see, the primary one first."""
    found = db.session.execute(
        text("""
            SELECT case_id, code FROM cause
            WHERE case_id = ANY(:cases) AND compartment IS NULL AND ended_at IS NULL
            ORDER BY case_id, is_primary DESC, id
        """),
        {"cases": list(cases)},
    )
    by_case: dict[int, tuple[str, ...]] = {}
    for case, code in found:
        by_case[case] = (*by_case.get(case, ()), code)
    return by_case


def tasks(students: Sequence[int], years: Iterable[str]) -> Rows:
    """The open tasks of these students, and every task that a finding of these school years has asked for."""
    wanted = select(
        Task.id, Task.student_id, Task.kind, Task.period, Task.rule, Task.compartment, Task.status,
        Task.created_at, Task.done_by, Task.through,
    )  # fmt: skip
    of_year = or_(*(Task.period.startswith(f"{year}/") for year in years), Task.status == "open")
    return db.session.execute(wanted.where(_among(Task.student_id, students), of_year).order_by(Task.id))


def letters(students: Sequence[int]) -> Rows:
    """The letters about these students, drafts, sent ones and those taken back."""
    wanted = select(
        Letter.id, Letter.student_id, Letter.template, Letter.period, Letter.rule, Letter.status, Letter.created_at,
        Letter.through, Letter.corrected_at, Letter.settled_as,
    )  # fmt: skip
    return db.session.execute(wanted.where(_among(Letter.student_id, students)).order_by(Letter.id))


def school_days(schools: Collection[int], since: date) -> dict[int, list[date]]:
    """School -> its school days from a day on, ascending; a day counts if any of its calendars has it."""
    found = db.session.execute(
        text("""
            SELECT DISTINCT school_id, day FROM calendar_day
            WHERE school_id = ANY(:schools) AND day >= :since AND day_type IN ('instructional', 'make_up')
            ORDER BY school_id, day
        """),
        {"schools": list(schools), "since": since},
    )
    by_school: dict[int, list[date]] = defaultdict(list)
    for school, day in found:
        by_school[school].append(day)
    return by_school


def _among(column: InstrumentedAttribute[Any], ids: Collection[int]) -> ColumnElement[bool]:
    """One array instead of a parameter for each id: twenty thousand of them are common."""
    return column == any_(literal(list(ids), ARRAY(Integer)))
