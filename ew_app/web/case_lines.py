"""Rows of lists of cases, tasks and flagged students in the words that people scan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from flask import url_for

from ew_app.kernel import day_text, today
from ew_app.services.casework import repairing, workspaces
from ew_app.services.measuring import trends
from ew_app.services.risk.taking_up import CHECK, LOOK
from ew_app.web.case_words import grade_words, lower_first, status_words, tier_range, tier_text
from ew_app.web.guard import actor
from ew_app.web.page import days, rate
from models.queries import today as rows
from models.queries.flagged import FlaggedLine
from models.queries.worklists import CaseLine, TaskLine
from rules import access
from rules.access import FieldClass
from rules.counting import many
from rules.vocabulary import vocabulary

Line = dict[str, Any]


def case_lines(found: Sequence[CaseLine]) -> list[Line]:
    """Cases as rows: who, next step, due and how late, what was last tried, days absent, tier, status, owner."""
    tries = rows.last_tries({line.student_id for line in found})
    return [_case(line, tries.get(line.student_id)) for line in found]


def _case(line: CaseLine, last: tuple[date, str] | None) -> Line:
    status, kind = status_words(line.status)
    paused = line.status == "paused"
    return {
        "number": line.number, "name": name(line), "url": url_for("case.show", number=line.number),
        "about": about(line), "next_step": line.next_step or "Decide what comes next",
        "reason": _step(line), "due": line.paused_until if paused else line.due,
        "late": 0 if paused else line.late, "last_contact": last_words(last), "reached": reached_words(line, last),
        "days": days_of(line.absent, line.enrolled), "tier": tier_text(line.tier), "status": status,
        "status_kind": kind, "owner": line.owner or "nobody yet", "owner_id": line.owner_id,
        **tier_range(line.tier, line.low, line.high, line.open_days),
    }  # fmt: skip


def with_trends(found: Sequence[CaseLine]) -> list[Line]:
    """The same, with the last weeks of each student as small numbers."""
    weeks = trends.weekly_absence([line.student_id for line in found])
    return [
        line | {"trend": weeks.get(one.student_id), "share": rate(one.absent or 0, one.enrolled or 0)}
        for line, one in zip(case_lines(found), found, strict=True)
    ]


def _step(line: CaseLine) -> str:
    """What comes next, and whether nobody was reached since the case was opened."""
    step = for_whom(line) + (line.next_step or "Decide what comes next")
    reached = line.last_contact is not None and line.last_contact >= line.opened
    return step if reached else f"{step}. Nobody reached yet"


def one_for_each_case(lines: Iterable[Line]) -> list[Line]:
    """What is due first of each case; it says how much else is due with it."""
    kept: dict[object, Line] = {}
    more: Counter[object] = Counter()
    for line in lines:
        key = line["number"] or (line["name"], line["reason"])
        more[key] += key in kept
        kept.setdefault(key, line)
    return [
        line | {"reason": f"{line['reason']} (and {more[key]} more)"} if more[key] else line
        for key, line in kept.items()
    ]


def with_sentences(found: Sequence[CaseLine]) -> list[Line]:
    """New cases as rows that say why they were opened instead of what comes next."""
    said = rows.sentences([line.number for line in found])
    return [line | {"reason": said.get(line["number"], line["reason"]), "due": None} for line in case_lines(found)]


def task_lines(found: Iterable[TaskLine]) -> list[Line]:
    """Tasks as rows; each leads to where its work is done."""
    return [
        {
            "name": name(line), "about": about(line), "reason": for_whom(line) + line.title,
            "url": _where(line), "due": line.due, "late": line.late, "kind": line.kind, "number": line.case_number,
            "tier": None if line.tier is None else tier_text(line.tier),
        }
        for line in found
    ]  # fmt: skip


def for_whom(line: CaseLine | TaskLine) -> str:
    """Whose work it is, where the reader stands in for somebody who is away: "For Ana Ruiz until Tue 24 Nov: "."""
    for one in actor().grants.standing_in:
        if (one.person_id, one.role) == (line.owner_id, line.owner_role):
            return f"For {one.name}{f' until {day_text(one.until)}' if one.until else ''}: "
    return ""


def _where(line: TaskLine) -> str:
    """Where contact details are mended, the compartment of a task, its case; without one the student or a contact."""
    if line.kind == repairing.KIND and access.can(actor().grants, repairing.MEND):
        return url_for("contacts.show", student_id=line.student_id)
    if line.case_number is None and line.compartment is not None:
        return _inside(line.compartment, line.student_key)
    if line.case_number is None and line.kind in (LOOK, CHECK):
        return url_for("student.show", key=line.student_key)
    if line.case_number is None:
        return url_for("outreach.for_student", student_id=line.student_id, task=line.id)
    if line.compartment is not None:
        return url_for("case_restricted.show", number=line.case_number, compartment=line.compartment)
    return url_for("case.tasks", number=line.case_number)


def _inside(compartment: str, student: str) -> str:
    """The compartment of a student without a case, for whoever opens it there; else the workspace, where it is done."""
    if workspaces.reads_for_all(FieldClass(compartment), actor()):
        return url_for("student_restricted.show", key=student, compartment=compartment)
    return url_for("supports.one", compartment=compartment)


def flagged_lines(found: Sequence[FlaggedLine], trends: dict[int, list[int]], me: int | None) -> list[Line]:
    """Flagged students as rows: why with dates, the trend in numbers, what was tried, who has it."""
    return [
        {
            "number": line.case_number, "student_id": line.student_id, "name": name(line), "about": about(line),
            "tier": tier_text(line.tier), "new": line.case_status == "new",
            "url": _student_or_case(line), "since": line.since, "reason": line.sentence,
            "trend": trends.get(line.student_id), "share": rate(line.absent, line.enrolled),
            "days": days_of(line.absent, line.enrolled), "contacts": _contacts(line),
            "owner": line.owner, "mine": line.owner_id is not None and line.owner_id == me,
            **tier_range(line.tier, line.low, line.high, line.open_days),
        }
        for line in found
    ]  # fmt: skip


def _student_or_case(line: FlaggedLine) -> str:
    if line.case_number is None:
        return url_for("student.show", key=line.student_key)
    return url_for("case.show", number=line.case_number)


def _contacts(line: FlaggedLine) -> str:
    if not line.contacts or line.last_contact is None:
        return "nobody reached yet"
    return f"reached {day_text(line.last_contact)}" + (f", {line.contacts} in all" if line.contacts > 1 else "")


def name(line: Any) -> str:
    return f"{line.first_name} {line.last_name}"


def about(line: Any) -> str:
    """Grade and school beside a name."""
    return ", ".join(part for part in (grade_words(line.grade), short_school(line.school)) if part)


def short_school(text: str) -> str:
    """`Carver Elementary School` is Carver Elementary to everybody; Carver alone might be the high school."""
    return text.removesuffix(" School")


def last_words(last: tuple[date, str] | None) -> str:
    """The last try and what came of it: `Tue 17 Nov, left a voicemail`."""
    if last is None:
        return "none yet"
    day, outcome = last
    return f"{day_text(day)}, {lower_first(vocabulary().label('outcome', outcome)).partition(',')[0]}"


def reached_words(line: CaseLine, last: tuple[date, str] | None) -> str:
    """How long ago anybody was really reached since the case was opened, beside the last try."""
    if line.last_contact is None or line.last_contact < line.opened:
        return "nobody reached yet" if last else ""
    ago = (today() - line.last_contact).days
    words = "today" if ago <= 0 else f"{many(ago, 'day')} ago"
    return words if last and last[0] == line.last_contact else f"reached {words}"


def days_of(absent: int | None, enrolled: int | None) -> str:
    """`9 of 52`; nothing where no day was counted."""
    return f"{days(absent)} of {days(enrolled)}" if absent is not None and enrolled else ""
