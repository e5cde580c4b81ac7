"""A goal in words and as a line: how it stands, what would have to be true by its day, how the last weeks went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import dropwhile
from typing import Any

from ew_app.kernel import day_text, today
from ew_app.services.watching import goal_counts, goal_groups
from ew_app.services.watching.goals import Standing
from models.goals import Goal
from models.queries import goals as rows
from rules import goals
from rules.counting import many
from rules.goals import LABELS, Measure, Point, percent
from rules.suppression import CLEAR

GROUPS = {
    "grade": "Grade", "english_learner": "English learners", "home_language": "Home language",
    "race_ethnicity": "Race and ethnicity", "low_income": "Low income",
}  # fmt: skip
YES_NO = ("english_learner", "low_income")
Days = Sequence[tuple[date, int, int]]
Counted = tuple[int, int]  # (schools of its place that were counted for it, all of them)


def title(goal: Goal) -> str:
    """What is measured, and of whom."""
    group = group_words(goal.subgroup)
    of = f", {group if group.startswith('English') else group[0].lower() + group[1:]}" if group else ""
    return f"{LABELS[Measure(goal.measure)]}{of}"


def group_words(group: str) -> str:
    """A group in words: `Grade 9`, `Low income`, `Not low income`, `Home language: Spanish`."""
    kind, _, value = group.partition(":")
    if kind == "grade":
        return f"Grade {value}"
    if kind in YES_NO:
        return GROUPS[kind] if value == "yes" else f"Not {GROUPS[kind] if kind == 'english_learner' else 'low income'}"
    return f"{GROUPS[kind]}: {value}" if kind else ""


def wanted(goal: Goal) -> str:
    """`at most 20% by Fri 11 Jun`."""
    word = "at most" if Measure(goal.measure).at_most else "at least"
    return f"{word} {percent(goal.target)} by {day_text(goal.by_day)}"


def shown(found: Days) -> list[Point]:
    """The points of a goal from the first on which there is something to tell."""
    return list(dropwhile(lambda point: not point.whole, (Point(*one) for one in found)))


def line(standing: Standing, found: Days, counted: Counted, *, waits: bool = False) -> dict[str, Any]:
    """A goal in a list; waits: whether something that is done for it was to be looked at by now."""
    goal = standing.goal
    points = [point for point in shown(found) if point.whole]
    last = points[-1] if points else None
    return {
        "thread": goal.thread, "place": standing.name, "title": title(goal), "wanted": wanted(goal),
        "now": _now(goal, last, counted), "known": last is not None, "waits": waits,
        "met": last is not None and goals.met(Measure(goal.measure), last, goal.target),
        "day": day_text(last.day) if last else "", "set": day_text(goal.base_day),
        "spark": [point.tenths for point in points],
    }  # fmt: skip


def _now(goal: Goal, point: Point | None, counted: Counted | None = None) -> str:
    if point is None or point.tenths is None:
        return _still(counted) or ("too few to tell" if goal.subgroup else "cannot tell yet")
    if goal.subgroup:
        return f"about {point.tenths // 10}%"
    if goal.measure == Measure.ATTENDANCE:
        return percent(point.tenths)
    return f"{percent(point.tenths)} ({point.part:,} of {point.whole:,})"


def _still(counted: Counted | None) -> str:
    """`is being counted: 3 of 12 schools`, while not every school of its place was counted."""
    if counted is None or counted[0] >= counted[1]:
        return ""
    return f"is being counted: {counted[0]} of {many(counted[1], 'school')}"


def told(standing: Standing, found: Days, counted: Counted) -> dict[str, Any]:
    """Everything a goal's page says."""
    goal, measure = standing.goal, Measure(standing.goal.measure)
    points = shown(found)
    known = [point for point in points if point.whole]
    last, by, wait, base = known[-1] if known else None, day_text(goal.by_day), _still(counted), _base(goal, known)
    must = goals.sentence(measure, last, goal.target, by, _ahead(goal, last), in_tens=bool(goal.subgroup))
    return {
        "now": _now(goal, last, counted),
        "since": day_text(goal.base_day),
        "base": _now(goal, base),
        "base_on": day_text(base.day) if base else "",
        "must": f"It {wait}. Until all of them are, no number is told." if wait else _of_group(goal, last) or must,
        "pace": _went(goal, points),
        "label": LABELS[measure],
        "points": [(day_text(point.day), _drawn(goal, point)) for point in points],
        "axis": _axis(measure, [*(point.tenths or 0 for point in known), goal.target]),
        "target": _plain(goal.target),
        "summary": f"{LABELS[measure]}: now {_now(goal, last, counted)}, wanted {wanted(goal)}.",
        "day": day_text(last.day) if last else "",
    }  # fmt: skip


def _of_group(goal: Goal, last: Point | None) -> str:
    """Why nothing is told of a group; nothing where something is."""
    if not goal.subgroup or last is not None:
        return ""
    if goal.measure != goal_groups.MEASURE:
        return "Of a group only students in Tier 2 or 3 are told. End this goal, and set one of these."
    return f"Of fewer than {CLEAR} students no share is told: it would tell of one of them."


def _went(goal: Goal, points: Sequence[Point]) -> str:
    """How it went over the last weeks: what was, and no line into June from two points."""
    known = [point for point in points if point.whole]
    earlier = goals.before(points)
    if earlier is None:
        return "How it goes cannot be told before five weeks have been counted."
    last, then = _now(goal, known[-1]), _now(goal, earlier)
    same = "It was the same" if last == then else f"It was {then}"
    return f"{same} on {day_text(earlier.day)}."


def _base(goal: Goal, known: Sequence[Point]) -> Point | None:
    """How it stood when it was set; of a group as the last table before told it."""
    if goal.subgroup:
        return next((point for point in reversed(known) if point.day <= goal.base_day), None)
    if goal.base_on is None or goal.base_part is None or not goal.base_whole:
        return None
    return Point(goal.base_on, goal.base_part, goal.base_whole)


def _plain(tenths: int) -> float:
    return tenths / 10 if tenths % 10 else tenths // 10


def _drawn(goal: Goal, point: Point) -> float | None:
    """As it is said: of a group whole percents, because its counts are tens."""
    tenths = point.tenths
    return None if tenths is None else tenths // 10 if goal.subgroup else _plain(tenths)


def _axis(measure: Measure, tenths: Sequence[int]) -> tuple[int, int]:
    """The ends of the axis in percent. Days attended lie close to all, so theirs need not begin at nothing."""
    if measure is Measure.ATTENDANCE:
        return max(0, (min(tenths) - 20) // 50 * 5), 100
    return 0, min(100, -(-(max(tenths) + 20) // 100) * 10)


def _ahead(goal: Goal, last: Point | None) -> int:
    """Thousandths of student days from the last count until the goal's day, with the students of today."""
    if goal.measure != Measure.ATTENDANCE or last is None:
        return 0
    schools = [school.id for school in goal_counts.schools_of(goal.place)]
    days = rows.days_ahead(schools, last.day, goal.by_day)
    students = rows.students_now(schools, today())
    return sum(count * days.get(school, 0) for school, count in students.items())
