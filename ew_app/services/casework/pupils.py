"""Students read for a following of their findings, a chunk at a time with a constant number of statements."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from ew_app.kernel import local, today
from ew_app.services.casework.following import Asked, Closed, Drafted, Found, Open, Pupil, Reason, Search, day_of, waits
from ew_app.services.measuring import policies
from models.queries import following as rows
from rules.case_flow import Status
from rules.stints import school_year_start
from rules.tiers import Tier


def year_text(day: date) -> str:
    """The school year of a day, like 2026-27."""
    start = school_year_start(day).year
    return f"{start}-{(start + 1) % 100:02d}"


def read(students: Sequence[int]) -> list[Pupil]:
    """Everyone of these students who has a finding, an open case or an open task, by id."""
    pupils = {row.student_id: _pupil(row) for row in rows.standings(students)}
    _add_cases(pupils, students)
    years = {pupil.year for pupil in pupils.values()} or {year_text(today())}
    since = date(int(min(years)[:4]), 7, 1)
    _add_findings(pupils, students, since)
    _add_tasks(pupils, students, years)
    _add_letters(pupils, students)
    _add_outdated([pupil for pupil in pupils.values() if pupil.case or pupil.tasks or pupil.letters])
    return [pupils[key] for key in sorted(pupils) if _concerned(pupils[key])]


def _pupil(row: Any) -> Pupil:
    here = bool(row.enrolled_now and row.data_through)
    year = year_text(row.data_through or today())
    return Pupil(row.student_id, row.school_id, row.tier, here, row.homeroom, year, row.data_through, row.seen)


def _concerned(pupil: Pupil) -> bool:
    return bool(pupil.case or pupil.tasks or pupil.letters or (pupil.here and pupil.active))


def _left(student: int, school: int) -> Pupil:
    """A student without a standing any more, whose case is still open."""
    return Pupil(student, school, Tier.NONE, False, "", year_text(today()))


def _add_cases(pupils: dict[int, Pupil], students: Sequence[int]) -> None:
    by_id: dict[int, Open] = {}
    for row in rows.open_cases(students):
        case = Open(
            row.id, row.number, row.school_id, row.kind, Status(row.status), row.tier, row.episode, row.department,
            row.owner_role, row.owner_id, row.owner_via, row.due, row.next_step, row.contact_due,
        )  # fmt: skip
        pupils.setdefault(row.student_id, _left(row.student_id, row.school_id)).case = by_id[row.id] = case
    for row in rows.reasons(by_id):
        reason = Reason(row.id, row.rule, row.day, row.through, row.sentence, row.withdrawn)
        by_id[row.case_id].reasons.append(reason)
    for number in rows.worked_on(by_id):
        by_id[number].worked_on = True
    for number in rows.arrivals_told([case.id for case in by_id.values() if case.kind == "did_not_arrive"]):
        by_id[number].arrival_told = True
    for number, codes in rows.causes(by_id).items():
        by_id[number].causes = codes
    for number, by_system, found in rows.searches(by_id):
        by_id[number].search = Search(stands=True, by_system=by_system, found=found)
    for row in rows.last_closed(students):
        if row.student_id in pupils:
            pupils[row.student_id].closed = Closed(
                row.id, row.number, row.closed_on, row.episode, row.owner_id, row.owner_role
            )
    for (student, rule), day in rows.answered(students).items():
        if student in pupils:
            pupils[student].answered[rule] = day


def _add_findings(pupils: dict[int, Pupil], students: Sequence[int], since: date) -> None:
    adding_up = {rule.key for rule in policies.timeline().on(today()).rules if rule.adds_up}
    for student, rule, start, until, compartment, sentence, policy in rows.findings(students, since):
        if student in pupils:
            found = Found(
                rule, start, until, compartment, sentence, year_text(start), policy=policy, adds_up=rule in adding_up
            )
            pupils[student].findings.append(found)
    _add_days_stood([pupil for pupil in pupils.values() if any(waits(found.rule) for found in pupil.active)])


def _add_days_stood(concerned: Sequence[Pupil]) -> None:
    """For how many school days the findings stand that open a case only after some."""
    if not concerned:
        return
    since = min(found.since for pupil in concerned for found in pupil.active)
    days = rows.school_days({pupil.school for pupil in concerned}, since)
    for pupil in concerned:
        taught = days.get(pupil.school, [])
        pupil.findings = [
            replace(found, stood=_between(taught, found.since, pupil.through)) for found in pupil.findings
        ]


def _add_outdated(concerned: Sequence[Pupil]) -> None:
    """The rules whose last finding taken back was made by a policy that is in force no longer."""
    found = list(rows.last_taken_back([pupil.student for pupil in concerned]))
    if not found:
        return
    timeline = policies.timeline()
    outdated: dict[int, set[str]] = defaultdict(set)
    for student, rule, since, policy in found:
        if policy != timeline.on(since).version:
            outdated[student].add(rule)
    for pupil in concerned:
        pupil.outdated = frozenset(outdated[pupil.student])


def _between(days: Sequence[date], first: date, last: date | None) -> int:
    return bisect_right(days, last or first) - bisect_left(days, first)


def _add_tasks(pupils: dict[int, Pupil], students: Sequence[int], years: set[str]) -> None:
    here = today()
    for row in rows.tasks(students, sorted(years)):
        if row.student_id in pupils:
            pupils[row.student_id].tasks.append(
                Asked(
                    row.id, row.kind, row.period, row.rule, row.compartment, row.status,
                    day_of(local(row.created_at), here), row.done_by is None, row.through,
                )
            )  # fmt: skip


def _add_letters(pupils: dict[int, Pupil], students: Sequence[int]) -> None:
    here = today()
    for row in rows.letters(students):
        if row.student_id in pupils:
            pupils[row.student_id].letters.append(
                Drafted(
                    row.id, row.template, row.period, row.rule, row.status,
                    day_of(local(row.created_at), here), row.through,
                    row.corrected_at is not None, row.settled_as,
                )
            )  # fmt: skip
