"""S08, attendance: What do we know of this student's days, and why this tier? Every mark with its file and line.

Whoever may read the roster class sees the days; tier, reasons and tier history only who may read the case class.
What lives in a compartment is not on this page for anybody: it is opened on its own, and that is written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for

from ew_app import kernel
from ew_app.kernel import day_text
from ew_app.services.casework import crisis as in_crisis
from ew_app.services.casework import looking_in
from ew_app.services.measuring import why
from ew_app.services.measuring.why import Explanation
from ew_app.web import consider_parts, crisis, duty_parts, freshness, limits, open_days, rate_lines, strips
from ew_app.web.guard import actor, found, requires, scope
from ew_app.web.rate_lines import tier_words
from ew_app.web.student_then import looked_back
from models.org import School
from models.people import Student
from models.queries import student_page as rows
from rules import access
from rules.access import FieldClass, Permission, Place, Right
from rules.routing import compartment_of
from rules.vocabulary import vocabulary

screen = Blueprint("student", __name__)

NO_KEY = "BAND"  # the watch line is not a rule that people know by a key


@screen.get("/students/<key>")
@requires(Permission.SEE_STUDENT)
@limits.student_page
def show(key: str) -> str:
    today, person = kernel.today(), actor().person_id
    student = found(rows.student(key, scope(Permission.SEE_STUDENT), person, today))
    here = rows.schools_of(student.id, today)
    judged = _sees_judgement(here, own=rows.is_own(student.id, person))
    told = why.explain(student.key)
    return render_template(
        "student.html",
        student=student,
        here=here,
        left=_left(student, today),
        told=told,
        judged=judged,
        answer=_answer(student, told.measures, judged),
        late=freshness.of_late(here),
        still_open=_open(student, told.measures, judged),
        summary=strips.summary(told),
        weeks=strips.weeks(told.days if judged else [replace(day, used_by=()) for day in told.days]),
        points=rate_lines.points(told),
        lines=rate_lines.thresholds(told) if judged else [],
        reasons=list(_reasons(told, student.id)) if judged else [],
        steps=list(_steps(told)) if judged else [],
        may_read_policy=access.can(actor().grants, Permission.SEE_POLICY),
        case=rows.open_case(student.id, scope(Permission.SEE_CASE), person, today),
        beside=_beside(told),
        caused=duty_parts.sentence(told.caused) if told.caused.days else "",
        caused_days=duty_parts.lines(told.caused),
        back=looked_back(student.key, request.args.get("known", ""), today, judged=judged),
        compartments=_compartments(student),
        asked=consider_parts.asked_of(student),
        model=consider_parts.of_student(student),
        crisis=bool(in_crisis.choices(student.id, actor())),
        opened=crisis.running(student.id) if access.can(actor().grants, Permission.OPEN_IN_CRISIS) else [],
    )


def _compartments(student: Student) -> list[tuple[str, str]]:
    """(label, address) of what this reader may open for any student here, whether or not it holds something."""
    words = vocabulary().labels["restricted"]
    return [
        (words[one], url_for("student_restricted.show", key=student.key, compartment=one))
        for one in looking_in.open_to(student.id, actor())
    ]


def _sees_judgement(here: Iterable[School], *, own: bool) -> bool:
    """Whether this person may read tiers and reasons of a student at these schools."""
    places = (Place.of_school(one.key, one.network.key) for one in here)
    return any(access.right(actor().grants, FieldClass.CASE, place, own=own).reaches(Right.READ) for place in places)


def _left(student: Student, today: date) -> date | None:
    """The last day of a student who is enrolled nowhere now."""
    ends = [stint.exit_date for stint in student.stints if stint.entry_date <= today]
    if not ends or any(end is None or end >= today for end in ends):
        return None
    return max(end for end in ends if end)


def _answer(student: Student, said: dict[str, Any], judged: bool) -> str:
    """The first thing to know, as a sentence; the full name stands above it."""
    name = student.first_name or student.name
    if not said or said["enrolled_days"] == "0":
        return f"{name} has no counted school day yet"
    days = f"{said['absent_days']} of {said['enrolled_days']} days"
    if not judged or said["tier"] in ("1", "none"):
        return f"{name} has missed {days}"
    where = "on Watch" if said["tier"] == "watch" else f"in {tier_words(said['tier'])}"
    return f"{name} is {where}: {days} missed"


def _open(student: Student, said: dict[str, Any], judged: bool) -> str:
    """What is still open about the student's days, in a few sentences; nothing when all is known."""
    if not said:
        return ""
    span = (tier_words(said["tier_min"]), tier_words(said["tier_max"])) if judged else ("", "")
    name = student.first_name or student.name
    return open_days.sentence(name, int(said["missing_days"]), int(said["unknown_days"]), span)


def _reasons(told: Explanation, student_id: int) -> Iterator[dict[str, Any]]:
    """Why the tier is what it is: what was said on the day a rule was met, which later days may have softened."""
    then = rows.said_then(student_id)
    for reason in told.reasons:
        yield {
            "sentence": f"{reason.label}, since {day_text(reason.since)}.",
            "arithmetic": then.get((reason.rule, reason.since), reason.sentence),
            "rule": None if reason.rule == NO_KEY else reason.rule,
        }


def _beside(told: Explanation) -> list[tuple[str, dict[str, Any]]]:
    """The student's numbers everywhere, then at each school: the child's rate follows the child."""
    if not told.measures:
        return []
    names = rows.school_names([row["school_id"] for row in told.at_schools])
    return [("Wherever enrolled", told.measures), *((names[row["school_id"]], row) for row in told.at_schools)]


def _steps(told: Explanation) -> Iterator[dict[str, Any]]:
    """Moves between tiers for the timeline, newest first."""
    for step in told.steps:
        open_rules = [rule for rule in step.rules if compartment_of(rule) is None]
        named = [rule for rule in open_rules if rule.startswith("R")]
        yield {
            "icon": "tier",
            "kind": f"Moved from {tier_words(step.before)} to {tier_words(step.after)}",
            "who": f"By rule {' and '.join(named)}" if named else "By the policy",
            "position": f"policy version {step.policy_version[:8]}",
            "when": day_text(step.day),
            "when_iso": step.day.isoformat(),
            "text": step.sentence if len(open_rules) == len(step.rules) else "",
        }
