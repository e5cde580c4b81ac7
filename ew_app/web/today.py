"""S02: What must I do today? One page for every role, made of the parts that its rights call for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from flask import Blueprint, render_template, url_for

from ew_app.kernel import day_text, today
from ew_app.services.casework import reaching
from ew_app.services.system import health
from ew_app.services.system.health import State
from ew_app.services.watching import boards
from ew_app.web import (
    beginning,
    case_lines,
    freshness,
    hand_over_lines,
    late,
    letters,
    reviews,
    student_tasks,
    supports_due,
    today_clerk,
    waiting,
)
from ew_app.web.case_lines import Line
from ew_app.web.guard import actor, requires, scope
from ew_app.web.today_parts import SHOWN, Day, Part, lent, verb
from models.queries import boards as schools
from models.queries import caseload, flagged, late_days, worklists
from models.queries import today as heads
from models.queries.today import Counts
from rules import access
from rules.access import Permission
from rules.counting import many

screen = Blueprint("today", __name__)

P = Permission
FIRST = 5  # schools that fit into a glance; the rest stands on the board


@screen.get("/today")
@requires(P.SEE_TODAY)
def show() -> str:
    step = beginning.step()
    day = _with_letters(_begun(_day(), step), known=step is None)
    return render_template(
        "today.html",
        answer=day.answer,
        hint=day.hint,
        freshness=day.fresh,
        action=day.action,
        counts=day.counts,
        parts=day.parts,
        schools=day.schools,
        more_schools=day.more_schools,
        checks=day.checks,
        undo=student_tasks.just_done(),
    )


def _with_letters(day: Day, *, known: bool) -> Day:
    """What was told to a family and turned out wrong comes before everything else."""
    asked = (*day.parts, *reviews.part(known=known))
    return replace(day, parts=(*letters.to_tell_again(), *hand_over_lines.part(), *asked, *waiting.part()))


def _begun(day: Day, step: beginning.Step | None) -> Day:
    """What has to come before all else; a day on which nothing waits is not called clear while nothing is known."""
    if step is None:
        return day
    if day.waits:
        return replace(day, hint=f"{step.answer}. {step.hint}") if step.empty else day
    parts = tuple(part for part in day.parts if part.lines)
    return Day(step.answer, step.action, parts=parts, checks=day.checks or None, fresh=day.fresh, hint=step.hint)


def _day() -> Day:
    """By what the person is there for: cases, calls, a school, schools of a network, the system, or tasks alone."""
    if _can(P.WORK_CASE):
        return _of_a_case_worker()
    if _can(P.IMPORT_ATTENDANCE):
        return today_clerk.day()
    if _can(P.DO_TASKS) and not _can(P.SEE_HEALTH):
        return _of_a_helper()
    if _can(P.SEE_NETWORK_BOARD) and not _can(P.SEE_HEALTH):
        return _of_a_network_lead()
    return _of_an_administrator() if _can(P.SEE_HEALTH) else _of_a_reader()


def _can(permission: Permission) -> bool:
    return access.can(actor().grants, permission)


# -- people who lead cases -----------------------------------------------------------------------------------------


def _of_a_case_worker() -> Day:
    """Social workers, counselors and principals: their own cases and tasks first, then what nobody has."""
    on, me, reach = today(), actor().person_id or 0, scope(P.SEE_CASELOAD)
    since = freshness.last_weekday(on)
    mine = heads.counts(reach, me, on, since=since, owner=me)
    leads_school = _can(P.MANAGE_PEOPLE)
    whole = heads.counts(reach, me, on, since=since) if leads_school else mine
    parts = [_first(me, on)]
    if leads_school:
        parts += [_unowned(me, on), _overdue(me, on, whole)]
    return Day(
        answer=_school_answer(whole, parts[0]) if leads_school else _own_answer(mine, parts[0]),
        action=("Log a contact", url_for("outreach.choose", back=url_for("today.show"))),
        counts=_counts(whole, "all" if leads_school else "mine"),
        parts=(*parts, *_waiting(me, on), _new(me, on)),
        fresh=freshness.of_schools(scope(P.SEE_SCHOOL_BOARD).whole),
    )


def _own_answer(counts: Counts, first: Part) -> str:
    """The longest wait of a family comes before all else."""
    if counts.first_due:
        return f"{many(counts.first_due, 'student')} {verb(counts.first_due, 'needs', 'need')} a first contact today"
    if first.total:
        return f"{many(first.total, 'thing')} {verb(first.total, 'is', 'are')} due today"
    return "Nothing is due today"


def _school_answer(counts: Counts, first: Part) -> str:
    if counts.unowned:
        return f"{many(counts.unowned, 'case')} {verb(counts.unowned, 'has', 'have')} no owner"
    if counts.overdue:
        return f"{many(counts.overdue, 'case')} at your school {verb(counts.overdue, 'is', 'are')} overdue"
    return _own_answer(replace(counts, first_due=0), first)


def _counts(counts: Counts, view: str) -> tuple[tuple[int, str, str | None], ...]:
    return (
        (
            counts.first_due,
            f"first {verb(counts.first_due, 'contact', 'contacts')} due by today",
            url_for("caseload.show", view=view, first="1"),
        ),
        (
            counts.overdue,
            f"{verb(counts.overdue, 'case', 'cases')} overdue",
            url_for("caseload.show", view=view, overdue="1"),
        ),
        (counts.open, f"open {verb(counts.open, 'case', 'cases')}", url_for("caseload.show", view=view)),
    )


def _first(me: int, on: date) -> Part:
    """Cases and tasks of one's own that are due, late ones first, then by tier."""
    cases = case_lines.case_lines(worklists.my_due_cases(me, on, until=on, stand_ins=lent()))
    tasks = case_lines.task_lines(worklists.my_tasks(me, on, reaching.openings(actor()), until=on, stand_ins=lent()))
    lines = case_lines.one_for_each_case(sorted([*cases, *tasks], key=_urgency))
    more = ("See all of your caseload", url_for("caseload.show", view="mine")) if _can(P.SEE_CASELOAD) else None
    return Part(
        "Do first",
        lines[:SHOWN],
        "Nothing of yours is due today. What comes next is on your caseload.",
        len(lines),
        more=more,
    )


def _urgency(line: Line) -> tuple[int, int, date]:
    """The longest wait first; among equals the higher tier."""
    return -line["late"], -int(line["tier"]) if str(line["tier"]).isdecimal() else 0, line["due"] or date.max


def _unowned(me: int, on: date) -> Part:
    found = worklists.unowned(scope(P.SEE_CASELOAD), me, on)
    return Part(
        "Nobody has these yet",
        case_lines.case_lines(found[:SHOWN]),
        "Every open case has an owner.",
        len(found),
        hint="Nobody leads them yet. Give each to someone.",
    )


def _overdue(me: int, on: date, counts: Counts) -> Part:
    """The longest waits at the whole school, whoever owns them."""
    found = caseload.caseload(scope(P.SEE_CASELOAD), me, on, overdue=True, size=SHOWN)
    lines = case_lines.case_lines(found.rows)
    for line in lines:
        line["reason"] = f"{line['owner']}: {line['next_step']}"
    return Part(
        "Overdue at your school",
        lines,
        "No case is overdue.",
        counts.overdue,
        more=("See every open case", url_for("caseload.show", view="all")),
    )


def _waiting(me: int, on: date) -> tuple[Part, ...]:
    """Families who came to us and have heard nothing since; no part when there are none."""
    found = case_lines.case_lines(worklists.answers_waiting(me, on))
    if not found:
        return ()
    return (Part("Families waiting for your answer", found[:SHOWN], "", len(found)),)


def _new(me: int, on: date) -> Part:
    """Who came up a tier since the last weekday, counted as on the page of those who are flagged."""
    since = freshness.last_weekday(on)
    found = flagged.flagged(scope(P.SEE_FLAGGED), me, on, since=since, size=SHOWN)
    lines = [line | {"due": None, "late": 0} for line in case_lines.flagged_lines(found.rows, {}, me)]
    return Part(
        f"Newly flagged since {day_text(since)}",
        lines,
        f"Nobody was newly flagged since {day_text(since)}. The next check runs after tonight's import.",
        found.total,
        more=("See who was flagged in the last weeks", url_for("flagged.show")),
    )


# -- people who help, or watch counts ------------------------------------------------------------------------


def _of_a_helper() -> Day:
    """Nurses, liaisons, teachers, departments and partners: tasks and cases given to them, compartments among them."""
    on, me = today(), actor().person_id or 0
    owned = worklists.my_due_cases(me, on, until=on, stand_ins=lent()) if _can(P.SEE_CASE) else []
    cases = case_lines.case_lines(owned)
    tasks = case_lines.task_lines(worklists.my_tasks(me, on, reaching.openings(actor()), until=on, stand_ins=lent()))
    due = case_lines.one_for_each_case(sorted([*tasks, *cases], key=_urgency))
    promised = supports_due.part()
    waits, noun = len(due) + sum(part.total for part in promised), "thing" if cases or promised else "task"
    later = case_lines.task_lines(
        worklists.my_tasks(me, on, reaching.openings(actor()), limit=len(tasks) + SHOWN, stand_ins=lent())
    )
    ahead = [line for line in later if line["due"] and line["due"] > on]
    return Day(
        answer=f"{many(waits, noun)} {verb(waits, 'is', 'are')} due today" if waits else "No task is due today",
        parts=(
            Part("Do first", due[:SHOWN], "Nothing is due today.", len(due), tiers=False),
            *promised,
            Part("Coming up", ahead[:SHOWN], "Nothing is planned. New tasks appear here.", len(ahead), tiers=False),
        ),
        fresh=freshness.of_schools(scope(P.SEE_SCHOOL_BOARD).whole),
    )


def _of_a_network_lead() -> Day:
    """The schools to call first, each with one reason, the longest wait first; no student is named."""
    inside = schools.schools_in(scope(P.SEE_NETWORK_BOARD).whole)
    board = boards.board(inside, today())
    needy = [line for line in board.lines if line.in_need]
    links = [
        {"name": line.name, "url": url_for("boards.school", key=line.key), "needs": boards.needs(line)[:1]}
        for line in needy[:FIRST]
    ]
    answer = f"{len(needy)} of {many(len(inside), 'school')} {verb(len(needy), 'needs', 'need')} your help"
    return Day(
        answer=answer if needy else "No school needs your help today",
        action=("Open the network board", url_for("boards.networks")),
        schools=links,
        more_schools=len(needy) - len(links),
        fresh=freshness.of_schools(scope(P.SEE_NETWORK_BOARD).whole),
    )


def _of_an_administrator() -> Day:
    bad = [check for check in health.checks() if check.state is not State.OK]
    answer = f"{many(len(bad), 'thing')} {verb(len(bad), 'needs', 'need')} a look" if bad else "The system is well"
    mine = late.lines(late.days(scope(P.SEE_QUALITY).whole, owner=actor().person_id or 0, size=SHOWN))
    return Day(answer=answer, action=("See every check", url_for("health.show")), parts=_to_ask(mine), checks=bad)


def _to_ask(mine: list[Line]) -> tuple[Part, ...]:
    """Days that a school's own people have not brought in; no part when there are none."""
    if not mine:
        return ()
    total = late_days.open_count(scope(P.SEE_QUALITY).whole, owner=actor().person_id or 0)
    hint = "They were missing when the next school day was due as well. Ask the school what keeps them."
    every = ("Every missing day", url_for("late.show"))
    return (Part("Schools to ask for their attendance", mine, "", total, hint, more=every, tiers=False),)


def _of_a_reader() -> Day:
    """Somebody whose work starts from another place of the rail."""
    return Day(answer="Nothing waits for you here today")
